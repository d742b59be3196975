"""The driver's temporary tables: Parquet files in a scratch folder, joined by DuckDB out of core.

Hence the driver's memory does not grow with the number of videos.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from math import inf
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.tables.closed_duckdb import BATCH_ROWS, Parameters, connect, dict_rows, select
from workers.storage.file_lock import lock
from workers.storage.scratch import scratch_folder

if TYPE_CHECKING:
    import duckdb

BATCH_BYTES = 1 << 24
_LOCK = ".lock"


def read_batches(source: Path | pa.NativeFile) -> Iterator[pa.Table]:
    """Reads a Parquet file in batches, and verifies the checksums of the pages."""
    for batch in pq.ParquetFile(source, page_checksum_verification=True).iter_batches(BATCH_ROWS):
        yield pa.Table.from_batches([batch])


def to_tables(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yields rows as tables of at most BATCH_ROWS rows; other columns than those of `schema` are left out."""
    rows = iter(rows)
    while held := [{name: row.get(name) for name in schema.names} for row in islice(rows, BATCH_ROWS)]:
        yield pa.Table.from_pylist(held, schema)


def regroup(tables: Iterable[pa.Table], rows: int, size: float = inf) -> Iterator[pa.Table]:
    """Combines tables of one schema until they have `rows` rows or `size` bytes, since each becomes a row group."""
    held: list[pa.Table] = []
    held_rows, held_bytes = 0, 0
    for table in tables:
        held.append(table)
        held_rows += table.num_rows
        held_bytes += table.nbytes
        if held_rows >= rows or held_bytes >= size:
            yield pa.concat_tables(held)
            held, held_rows, held_bytes = [], 0, 0
    if held:
        yield pa.concat_tables(held)


def with_later_columns(table: pa.Table, *fields: pa.Field) -> pa.Table:
    """Returns the table with columns that later versions added, null where an earlier version wrote it."""
    for field in fields:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


class Workspace:
    """Holds the tables of a driver, as a context manager: views of one DuckDB connection, deleted at the end."""

    def __enter__(self) -> Workspace:
        work = scratch_folder("work")
        _clear(work)
        self.folder = Path(tempfile.mkdtemp(dir=work))
        self._lock = _locked(self.folder)
        self._db = connect(self.folder, folders=[self.folder], threads=1, memory_limit="1GB")
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()
        shutil.rmtree(self.folder)
        self._lock.close()

    def path(self, name: str) -> Path:
        """Returns the path of a table's file."""
        return self.folder / f"{name}.parquet"

    def put(self, name: str, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
        """Writes a table and creates its view; returns its number of rows."""
        rows = 0
        # With checksums, since the tables of a corpus are copies of these files.
        with pq.ParquetWriter(self.path(name), schema, write_page_checksum=True) as writer:
            for table in regroup((t.select(schema.names).cast(schema) for t in tables), BATCH_ROWS, BATCH_BYTES):
                writer.write_table(table)
                rows += table.num_rows
        self._db.read_parquet(str(self.path(name))).create_view(name, replace=True)
        return rows

    @contextmanager
    def appending(self, name: str, schema: pa.Schema) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
        """Yields a function that appends rows to the file of a new table, which gets no view."""
        held: list[dict[str, Any]] = []

        def append(rows: list[dict[str, Any]], least: int = BATCH_ROWS) -> None:
            held.extend(rows)
            if len(held) >= least:
                writer.write_table(pa.Table.from_pylist(held, schema))
                held.clear()

        with pq.ParquetWriter(self.path(name), schema) as writer:
            yield append
            append([], least=1)

    def sql(self, query: str, schema: pa.Schema, parameters: Parameters = None) -> Iterator[pa.Table]:
        """Yields the rows of one SELECT in batches, cast to `schema`. Values are `parameters`, not part of the text."""
        yield from self.read(select(self._db.cursor(), query, parameters), schema)

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Returns a table by name, to be filtered and sorted by methods."""
        return self._db.cursor().table(name)

    def read(self, rows: duckdb.DuckDBPyRelation, schema: pa.Schema) -> Iterator[pa.Table]:
        """Yields the rows of a relation in batches, cast to `schema`."""
        for batch in rows.to_arrow_reader(BATCH_ROWS):
            yield pa.Table.from_batches([batch]).select(schema.names).cast(schema)

    def rows(self, query: str) -> Iterator[dict[str, Any]]:
        """Yields the rows of one SELECT."""
        return dict_rows(select(self._db.cursor(), query))

    def count(self, query: str) -> int:
        """Returns the single number that a SELECT yields."""
        ((number,),) = select(self._db.cursor(), query).fetchall()
        return int(number)

    def num_rows(self, name: str) -> int:
        """Returns the number of rows of a table."""
        ((number,),) = self.table(name).count("*").fetchall()
        return number


def _locked(folder: Path) -> IO[str]:
    """Locks the folder of this driver; the system releases the lock if the driver is killed."""
    file = (folder / "new").open("w")
    lock(file)
    (folder / "new").rename(folder / _LOCK)
    return file


def _clear(work: Path) -> None:
    """Deletes the folders of killed drivers, which are not locked."""
    for path in work.glob(f"*/{_LOCK}"):
        with suppress(FileNotFoundError, BlockingIOError), path.open() as file:
            lock(file, wait=False)
            shutil.rmtree(path.parent, ignore_errors=True)
