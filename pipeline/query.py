"""`longvid query`: prints the result of one query over the tables of a corpus, as a table, CSV or JSON."""

import codecs
import csv
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any, TextIO

import pyarrow as pa

from pipeline.tables.catalog import CatalogError, open_catalog
from pipeline.tables.closed_duckdb import BATCH_ROWS, select
from pipeline.terminal import Terminal, folded_table
from schemas.messages import json_printable, no_formula, printable

SHOWN_ROWS = 200
PIPE_COLUMNS = 240


def query(corpus: str, sql: str, *, format: str = "table", safe_csv: bool = False, file: TextIO | None = None) -> None:
    """Prints the result of one SQL query over the tables, as `table` (the first SHOWN_ROWS rows), `csv` or `json`.

    With `safe_csv`, text that a spreadsheet would take for a formula gets an apostrophe before it.

    Raises:
        CatalogError: the format is unknown, or DuckDB finds something wrong with the query.
        SqlError: the text is anything but one query.
        NotBuilt: the tables, or one that the query names, have not been built yet.
    """
    formats: dict[str, Callable[[pa.RecordBatchReader, TextIO], None]] = {
        "table": _show_table,
        "csv": partial(_show_csv, safe=safe_csv),
        "json": _show_json,
    }
    if format not in formats:
        raise CatalogError(f"--format {format!r}: use one of {', '.join(formats)}")
    with open_catalog(corpus) as catalog:
        try:
            formats[format](select(catalog, sql).to_arrow_reader(BATCH_ROWS), file or sys.stdout)
        except (pa.ArrowException, OverflowError) as error:
            raise CatalogError(f"the result cannot be shown: {error}; cast its columns to varchar") from None
        except BrokenPipeError:
            # The reader, such as `head`, has seen enough; what is still buffered goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_table(reader: pa.RecordBatchReader, file: TextIO) -> None:
    shown, rows = folded_table(*reader.schema.names, header_style="bold"), 0
    for row in _rows(reader):
        rows += 1
        if rows <= SHOWN_ROWS:
            shown.add_row(*map(_cell, row))
    # In a pipe there is no window that a row would have to fit.
    console = Terminal(file=file, width=None if file.isatty() else PIPE_COLUMNS, soft_wrap=False)
    console.print(shown)
    if rows > SHOWN_ROWS:
        console.print(f"{SHOWN_ROWS} of {rows} rows; --format csv or json gives them all")


def _show_csv(reader: pa.RecordBatchReader, file: TextIO, safe: bool) -> None:
    def shown(value: Any) -> str:
        text = _cell(value)
        if safe and isinstance(value, str):
            text = no_formula(text)
        return printable(text) if file.isatty() else text

    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(shown, reader.schema.names))
    writer.writerows(map(shown, row) for row in _rows(reader))


def _show_json(reader: pa.RecordBatchReader, file: TextIO) -> None:
    names = _distinct(reader.schema.names)
    # An escape of JSON reads back as its character, so the output is exact in every encoding.
    is_utf8 = codecs.lookup(getattr(file, "encoding", None) or "utf-8").name == "utf-8"
    separator = "[\n"
    for row in _rows(reader):
        values = dict(zip(names, map(_json_value, row), strict=True))
        file.write(separator + json_printable(json.dumps(values, ensure_ascii=not is_utf8, allow_nan=False)))
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def _distinct(names: list[str]) -> list[str]:
    """Makes column names distinct by numbering all but the first of equal names, as DuckDB does."""
    found: dict[str, None] = {}
    for name in names:
        number, key = 0, name
        while key in found or (number and key in names):
            number += 1
            key = f"{name}_{number}"
        found[key] = None
    return list(found)


def _json_value(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None  # JSON has no such numbers
    if isinstance(value, Decimal):  # a sum of integers, for one
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _rows(reader: pa.RecordBatchReader) -> Iterator[tuple[Any, ...]]:
    for batch in reader:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else str(value)
