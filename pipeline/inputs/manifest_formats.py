"""Reads the file formats of a manifest (JSONL, JSON, CSV, Parquet) as unchecked rows, a few at a time."""

import csv
import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from pipeline.inputs.manifest_parquet import parquet_rows
from pipeline.inputs.manifest_rows import CELL_BYTES, JSON_BYTES, LINE_BYTES, ManifestError, check_distinct
from schemas.rows import Row
from stages.annotations.json_text import load_json
from stages.annotations.text import AnnotationError

# Names of the index column in a CSV file of pandas: empty, or what pandas makes of that when it reads the file.
_INDEX = re.compile(r"|Unnamed: 0(_level_\d+)?")


def read_rows(source: BinaryIO, name: str) -> Iterator[tuple[str, Row]]:
    """Yields the rows of a manifest as written, each with its file and line (or row). Raises ManifestError."""
    yield from _FORMATS[suffix_of(name)](source, name)


def suffix_of(name: str) -> str:
    """Returns the suffix, which determines the format of a manifest. Raises ManifestError if it is unknown."""
    suffix = posixpath.splitext(name)[1].lower()
    if suffix not in _FORMATS:
        raise ManifestError(f"{name}: the name of a manifest ends in one of {', '.join(_FORMATS)}")
    return suffix


def _jsonl_rows(source: BinaryIO, name: str) -> Iterator[tuple[str, Row]]:
    for where, line in _lines(source, name):
        if line.strip():
            yield where, _load(line.strip(), where)


def _json_rows(source: BinaryIO, name: str) -> Iterator[tuple[str, Row]]:
    data = source.read(JSON_BYTES + 1)
    if len(data) > JSON_BYTES:
        raise ManifestError(f"{name}: larger than {JSON_BYTES:,} bytes; write one row per line, as .jsonl")
    rows = _load(_decode(data.removeprefix(b"\xef\xbb\xbf"), name), name)
    if not isinstance(rows, list):
        raise ManifestError(f"{name}: a .json manifest must be a list of rows; for one row per line, use .jsonl")
    for number, row in enumerate(rows, 1):
        yield f"{name}, row {number}", row


def _csv_rows(source: BinaryIO, name: str) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(CELL_BYTES)  # applies to the whole process, in which nothing else reads CSV
    reader = csv.reader(part for _, line in _lines(source, name) for part in _csv_lines(line))
    try:
        head = next(reader, [])
        _check_separator(head, name)
        check_distinct(head, name)
        ignored = 1 if head and _INDEX.fullmatch(head[0]) else 0
        for cells in reader:
            where = f"{name}, line {reader.line_num}"
            if not any(cells):  # Excel writes lines of commas below a table
                continue
            if len(cells) != len(head):
                raise ManifestError(f"{where}: the row has {len(cells)} cells, but the header has {len(head)} columns")
            named = zip(head[ignored:], cells[ignored:], strict=True)
            row: Row = {column: cell for column, cell in named if cell != ""}
            if "subtitles" in row:
                row["subtitles"] = [part.strip() for part in row["subtitles"].split(";") if part.strip()]
            yield where, row
    except csv.Error as error:
        hint = " (a quotation mark may be missing)" if "field limit" in str(error) else ""
        raise ManifestError(f"{name}, line {reader.line_num}: bad CSV: {error}{hint}") from None


def _check_separator(head: list[str], name: str) -> None:
    """Raises ManifestError if columns are not separated by commas, as in files of Excel in many countries."""
    if len(head) == 1 and (found := re.search(r"(?i)(?<=^sep=).|[;\t|]", head[0])):
        raise ManifestError(f"{name}: its columns are separated by {found[0]!r}; save it with commas")


def _csv_lines(line: str) -> list[str]:
    """Splits a line at carriage returns, which the module csv accepts only at the end of a line."""
    return re.split(r"(?<=\r)(?!\n)", line) if "\r" in line else [line]


def _lines(source: BinaryIO, name: str) -> Iterator[tuple[str, str]]:
    """Yields lines with their line ends, each with its place; a byte order mark is removed."""
    number = 0
    while data := source.readline(LINE_BYTES + 1):
        number += 1
        where = f"{name}, line {number}"
        if len(data) > LINE_BYTES:
            raise ManifestError(f"{where}: longer than {LINE_BYTES:,} bytes; put events in an `events_file`")
        yield where, _decode(data.removeprefix(b"\xef\xbb\xbf") if number == 1 else data, where)


def _decode(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{where}: not UTF-8 text at byte {error.start}; save the file as UTF-8") from None


def _load(text: str, where: str) -> Any:
    try:
        return load_json(text)
    except AnnotationError as error:
        raise ManifestError(f"{where}: {error}") from None


_FORMATS: dict[str, Callable[[BinaryIO, str], Iterator[tuple[str, Row]]]] = {
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
    ".json": _json_rows,
    ".csv": _csv_rows,
    ".parquet": parquet_rows,
}
