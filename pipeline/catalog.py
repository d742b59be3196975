"""The tables of a corpus under their names in DuckDB, and what `longvid query` prints of them.

A query sees the tables and nothing else: no other file, no network, no extension that would be fetched from one.
"""

import csv
import json
import os
import re
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.decoded import SEGMENT_TABLE, VIDEO_TABLE
from pipeline.not_built import not_built
from pipeline.tables import QA_TABLE, SHOT_TABLE
from schemas.tables import DUPLICATE, EVENT, REJECT, SAMPLE, SELECTION
from workers.storage import Store

TABLES = {
    "videos": VIDEO_TABLE,
    "segments": SEGMENT_TABLE,
    "shots": SHOT_TABLE,
    "duplicates": DUPLICATE,
    "events": EVENT,
    "qa": QA_TABLE,
    "selections": SELECTION,
    "samples": SAMPLE,
    "rejects": REJECT,
}
SHOWN_ROWS = 200
PIPE_COLUMNS = 240
_BATCH_ROWS = 4096


class CatalogError(ValueError):
    """A query or corpus that cannot be used. The message says what there is instead."""


def open_catalog(corpus: str) -> duckdb.DuckDBPyConnection:
    """A connection with a view for each of the corpus' tables that has been built. Raises NotBuilt where none has."""
    store = Store(corpus)
    files = {PurePosixPath(p).stem: p for p in store.files("tables") if PurePosixPath(p).match("tables/*.parquet")}
    if not files:
        raise not_built(store, "the tables")
    catalog = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            # Made when a query outgrows the memory, and removed when the connection closes.
            "temp_directory": str(Path(tempfile.gettempdir()) / f"longvid-query-{uuid.uuid4().hex}"),
        }
    )
    for name, path in files.items():
        if store.is_local:
            location = _literal(store.full(path))
            catalog.execute(f"create view {_identifier(name)} as select * from read_parquet({location})")
        else:
            # By the file system that wrote them: DuckDB's own would be an extension from the network.
            catalog.register(name, pads.dataset(store.full(path), filesystem=store.filesystem))
    if store.is_local:
        locations = ", ".join(_literal(store.full(path)) for path in files.values())
        catalog.execute(f"set allowed_paths = [{locations}]")
    catalog.execute("set enable_external_access = false")
    catalog.execute("set lock_configuration = true")
    return catalog


def query(corpus: str, sql: str, *, format: str = "table", file: TextIO | None = None) -> None:
    """Prints what one SQL query over the tables gives, as `table` (the first SHOWN_ROWS rows), `csv` or `json`.

    Raises CatalogError for an unknown format, anything but one query, and whatever DuckDB finds wrong with it.
    """
    if format not in _FORMATS:
        raise CatalogError(f"format = {format!r}: use one of {', '.join(_FORMATS)}")
    with open_catalog(corpus) as catalog:
        try:
            reader = _ask(catalog, sql).to_arrow_reader(_BATCH_ROWS)
            _FORMATS[format](reader, file or sys.stdout)
        except duckdb.Error as error:
            raise _explained(catalog, corpus, error) from None
        except BrokenPipeError:
            # The reader, such as `head`, has seen enough; what is still buffered goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ask(catalog: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyRelation:
    statements = catalog.extract_statements(sql)
    if [s.type for s in statements] not in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
        found = ", ".join(str(s.type).removeprefix("StatementType.") for s in statements) or "nothing"
        raise CatalogError(f'give one query, such as "select count(*) from samples"; found: {found}')
    return catalog.sql(statements[0].query)


def _explained(catalog: duckdb.DuckDBPyConnection, corpus: str, error: duckdb.Error) -> ValueError:
    if unknown := re.search(r"Table with name (.+?) does not exist", str(error)):
        if unknown[1].lower() in TABLES:
            return not_built(Store(corpus), f"the table {unknown[1].lower()}")
        names = catalog.execute("select table_name from information_schema.tables order by 1").fetchall()
        return CatalogError(f"there is no table {unknown[1]!r}; there are: {', '.join(name for (name,) in names)}")
    return CatalogError(str(error))


def _show_table(reader: pa.RecordBatchReader, file: TextIO) -> None:
    shown, rows = Table(header_style="bold"), 0
    for name in reader.schema.names:
        shown.add_column(_printable(name))
    for row in _rows(reader):
        rows += 1
        if rows <= SHOWN_ROWS:
            shown.add_row(*(_printable(_plain(value)) for value in row))
    # In a pipe there is no window that a row would have to fit.
    console = Console(file=file, width=None if file.isatty() else PIPE_COLUMNS)
    console.print(shown)
    if rows > SHOWN_ROWS:
        console.print(f"{SHOWN_ROWS} of {rows} rows; --format csv or json gives them all", highlight=False)


def _show_csv(reader: pa.RecordBatchReader, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(reader.schema.names)
    writer.writerows([_plain(value) for value in row] for row in _rows(reader))


def _show_json(reader: pa.RecordBatchReader, file: TextIO) -> None:
    before = "[\n"
    for row in _rows(reader):
        file.write(
            before + json.dumps(dict(zip(reader.schema.names, row, strict=True)), ensure_ascii=False, default=str)
        )
        before = ",\n"
    file.write("[]\n" if before == "[\n" else "\n]\n")


_FORMATS: dict[str, Callable[[pa.RecordBatchReader, TextIO], None]] = {
    "table": _show_table,
    "csv": _show_csv,
    "json": _show_json,
}


def _rows(reader: pa.RecordBatchReader) -> Iterator[tuple[Any, ...]]:
    for batch in reader:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else str(value)


def _printable(text: str) -> Text:
    # Questions and names come from strangers: no markup, and no escape sequence, may reach the terminal.
    return Text("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
