"""The file formats of a manifest: JSONL, JSON, CSV and Parquet to rows as they were written, a few at a time."""

import csv
import io
import json
import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.config import ConfigError
from workers.fetch.redaction import redacted
from workers.storage import open_file

BATCH_ROWS = 4096
_FORMATS = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")

Row = dict[str, Any]


class ManifestError(ConfigError):
    """A manifest that cannot be used. The message names the file, the row, the value and the remedy."""


def raw_rows(folder: str, name: str) -> Iterator[tuple[str, Row]]:
    """Rows as written, each with the file and line (or row) for messages."""
    suffix = posixpath.splitext(name)[1].lower()
    if suffix not in _FORMATS:
        raise ManifestError(f"{name}: a manifest's name ends in one of {', '.join(_FORMATS)}")
    try:
        with open_file(folder, name) as source:
            if suffix == ".parquet":
                yield from _parquet_rows(source, name)
                return
            text = io.TextIOWrapper(source, encoding="utf-8-sig", newline="" if suffix == ".csv" else None)
            if suffix == ".csv":
                yield from _csv_rows(text, name)
            elif suffix == ".json":
                yield from _json_rows(text, name)
            else:
                yield from _jsonl_rows(text, name)
    except FileNotFoundError:
        raise ManifestError(f"{name}: no such file in {redacted(folder)}; `longvid manifest DIR` makes one") from None
    except UnicodeDecodeError as error:
        raise ManifestError(f"{name}: not UTF-8 text at byte {error.start}; save it as UTF-8") from None


def _jsonl_rows(text: Iterable[str], name: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text, 1):
        if line.strip():
            yield f"{name}, line {number}", _load(line, f"{name}, line {number}")


def _json_rows(text: io.TextIOWrapper, name: str) -> Iterator[tuple[str, Row]]:
    rows = _load(text.read(), name)
    if not isinstance(rows, list):
        raise ManifestError(f"{name}: a .json manifest is a list of rows; for a row a line use .jsonl")
    for number, row in enumerate(rows, 1):
        yield f"{name}, row {number}", row


def _csv_rows(text: Iterable[str], name: str) -> Iterator[tuple[str, Row]]:
    reader = csv.DictReader(text)
    try:
        for cells in reader:
            where = f"{name}, line {reader.line_num}"
            if None in cells or None in cells.values():
                raise ManifestError(f"{where}: the row has not as many cells as the head has columns")
            row: Row = {column: cell for column, cell in cells.items() if cell != ""}
            if "subtitles" in row:
                row["subtitles"] = [part.strip() for part in row["subtitles"].split(";") if part.strip()]
            yield where, row
    except csv.Error as error:
        raise ManifestError(f"{name}, line {reader.line_num}: bad CSV: {error}") from None


def _parquet_rows(source: pa.NativeFile, name: str) -> Iterator[tuple[str, Row]]:
    try:
        file = pq.ParquetFile(source)
    except pa.ArrowInvalid as error:
        raise ManifestError(f"{name}: not a Parquet file: {error}") from None
    number = 0
    for batch in file.iter_batches(BATCH_ROWS):
        for row in batch.to_pylist():
            number += 1
            yield f"{name}, row {number}", row


def _load(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{where}: bad JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ManifestError(f"{where}: bad JSON: nested too deeply") from None
    except ValueError:
        raise ManifestError(f"{where}: bad JSON: a number of more than 4,300 digits") from None
