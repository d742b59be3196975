"""Reads annotation files as records: members of a JSON object, items of a list, lines, rows of a table.

Large files are streamed, also JSON, so that memory does not grow with their size.
"""

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from stages.annotations.encodings import decode_text
from stages.annotations.formats.clip_list import COLUMNS
from stages.annotations.formats.json_stream import stream_json
from stages.annotations.formats.whisper import TSV
from stages.annotations.json_text import load_json
from stages.annotations.text import AnnotationError

Record = tuple[str, Any]

# Larger files are streamed: they must be UTF-8, and JSON must be an object or list of videos.
_WHOLE_BYTES = 32 << 20
_HEAD_BYTES = 1 << 20
_MAX_LINE = 16 << 20
_MAX_CELL = 1 << 20
_BATCH_ROWS = 100
# So many lines tell whether a file is JSON lines: at least half of them are objects.
_FIRST_LINES = 10
_WEB_PAGE = (b"<!doctype html", b"<html")
# What people give in place of a file, by its first bytes, and what to do.
_NO_TEXT = (
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file itself: run git lfs pull"),
    (b"PK\x03\x04", "is a zip archive or an Excel file: give the files in it, or a table saved as CSV"),
    *(
        (start, "is compressed: decompress it and give the files in it")
        for start in (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")
    ),
)
# A table header contains names, not numbers or sentences.
_HEAD = re.compile(r"[^\d\W][\w \-./:]{0,40}")
# `{1}{25}` of MicroDVD and `[Script Info]` of ASS are not JSON.
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\d\]-])")


class BadLine(NamedTuple):
    """Stands for a line of JSON lines that cannot be read, such as the last one of a download that broke off."""

    message: str
    """The number of the line and what is wrong; nothing of it is quoted."""


def read_records(stream: BinaryIO, name: str) -> Iterator[Record]:
    """Yields records as keys and values; see `Format` and `BadLine`. Raises AnnotationError."""
    head = stream.read(_HEAD_BYTES)
    if head.startswith(b"PAR1"):
        yield from _parquet(stream)
        return
    if reason := next((why for start, why in _NO_TEXT if head.startswith(start)), ""):
        raise AnnotationError(reason)
    if head[:1000].lstrip().lower().startswith(_WEB_PAGE):
        raise AnnotationError("is a web page, perhaps of a failed download: download the file again")
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size <= _WHOLE_BYTES:
        text, _ = decode_text(stream.read())
        yield from _whole(text.removeprefix("\ufeff"), name)
        return
    try:
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        yield from _streamed(lines, name, head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1])
    except UnicodeDecodeError:
        raise AnnotationError(f"is no UTF-8, which a file above {_WHOLE_BYTES >> 20} MiB has to be") from None


def _whole(text: str, name: str) -> Iterator[Record]:
    if not text.strip():
        return
    if not _JSON.match(text) and not name.lower().endswith((".json", ".jsonl")):
        yield from _table_or_text(text, name)
        return
    if not _is_lines(io.StringIO(text)):
        repeated: list[str] = []
        value = load_json(text, repeated=repeated)
        yield from (("", item) for item in value) if isinstance(value, list) else [("", value)]
        # They are counted among what is not of the file's form.
        yield from (("", None) for _ in repeated)
        return
    yield from _json_lines(io.StringIO(text))


def _streamed(lines: io.TextIOWrapper, name: str, first: bytes) -> Iterator[Record]:
    is_lines = _is_lines(lines)
    lines.seek(0)
    if is_lines:
        yield from _json_lines(lines)
    elif first in (b"{", b"["):
        yield from stream_json(lines)
    else:
        yield from _table(lines, "\t" if name.lower().endswith(".tsv") else ",")


def _is_lines(text: io.TextIOBase) -> bool:
    """Returns whether at least half of the first lines are complete JSON objects, and there is more than one line."""
    first = list(islice(filter(str.strip, _lines(text)), _FIRST_LINES))
    return len(first) > 1 and 2 * sum(map(_is_object, first)) >= len(first)


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{") or not line.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _lines(text: io.TextIOBase) -> Iterator[str]:
    """Yields the lines of a text; one that is too long in parts, which are bad JSON."""
    while line := text.readline(_MAX_LINE):
        yield line


def _json_lines(lines: io.TextIOBase) -> Iterator[Record]:
    for number, line in enumerate(_lines(lines), 1):
        if line.strip():
            repeated: list[str] = []
            try:
                yield "", load_json(line.strip(), repeated=repeated)
                yield from (("", None) for _ in repeated)
            except AnnotationError as error:
                yield "", BadLine(f"line {number}: {error}")


def _table_or_text(text: str, name: str) -> Iterator[Record]:
    suffix, (first, _, rest) = PurePosixPath(name).suffix.lower(), text.lstrip("\n").partition("\n")
    delimiter = "\t" if suffix == ".tsv" or "\t" in first else max(",;|", key=first.count)
    if delimiter in ";|" and suffix != ".csv" and not _has_columns(first, rest, delimiter):
        delimiter = ","  # lines of text may have such a character
    cells = next(csv.reader([first[:_MAX_CELL]], delimiter=delimiter), [])
    is_table = len(cells) > 1 or suffix in (".csv", ".tsv")
    if is_table and all(_HEAD.fullmatch(cell.strip()) or not cell for cell in cells) and any(cells):
        yield from _table(io.StringIO(text), delimiter)
    elif text.strip():
        # The key of a whole text is the name of its file.
        yield name, text


def _has_columns(first: str, rest: str, delimiter: str) -> bool:
    """Returns whether lines have as many columns as the first one: two of them, or one below a known name."""
    counts = [line.count(delimiter) for line in rest.split("\n", 2)[:2] if line.strip()]
    known = {cell.strip().lower() for cell in first.split(delimiter)} & set(COLUMNS)
    return {*counts} == {first.count(delimiter)} and (len(counts) > 1 or bool(known))


def _table(lines: io.TextIOBase, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(_MAX_CELL)
    reader = csv.DictReader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        key = TSV if delimiter == "\t" and set(reader.fieldnames or ()) == {"start", "end", "text"} else ""
        for cells in reader:
            yield (
                key,
                {head.strip(): cell or "" for head, cell in cells.items() if head and isinstance(cell, str | None)},
            )
    except csv.Error as error:
        raise AnnotationError(f"line {reader.line_num}: bad CSV: {error}") from None


def _parquet(stream: BinaryIO) -> Iterator[Record]:
    try:
        file = pq.ParquetFile(stream)
        for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
            yield from (("", row) for row in batch.to_pylist())
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise AnnotationError(f"cannot be read as Parquet ({type(error).__name__})") from None
