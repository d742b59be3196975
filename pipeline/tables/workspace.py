"""The driver's own tables while it works: Parquet files in a temporary folder, joined by DuckDB out of core.

So the driver's memory does not grow with the number of videos.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.tables.closed_duckdb import Parameters, connect, select
from workers.storage.file_lock import lock
from workers.storage.scratch import scratch_folder

BATCH_ROWS = 4096
_LOCK = ".lock"


def read_batches(source: Path | pa.NativeFile) -> Iterator[pa.Table]:
    """A Parquet file in batches, page checksums verified."""
    for batch in pq.ParquetFile(source, page_checksum_verification=True).iter_batches(BATCH_ROWS):
        yield pa.Table.from_batches([batch])


class Workspace:
    """A context; its tables are views of one DuckDB connection and vanish with it."""

    def __enter__(self) -> "Workspace":
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
        return self.folder / f"{name}.parquet"

    def put(self, name: str, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
        """Writes a table and makes it a view; gives its number of rows."""
        rows = 0
        # With checksums: the tables of a corpus are copies of these files.
        with pq.ParquetWriter(self.path(name), schema, write_page_checksum=True) as writer:
            for table in tables:
                writer.write_table(table.select(schema.names).cast(schema))
                rows += table.num_rows
        self._db.read_parquet(str(self.path(name))).create_view(name, replace=True)
        return rows

    def sql(self, query: str, schema: pa.Schema, parameters: Parameters = None) -> Iterator[pa.Table]:
        """Rows of one SELECT, in batches, as `schema`. Values are `parameters` of it, never part of its text."""
        yield from self.read(select(self._db.cursor(), query, parameters), schema)

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """A table, to be filtered and sorted by methods where its name is not known beforehand."""
        return self._db.cursor().table(name)

    def read(self, rows: duckdb.DuckDBPyRelation, schema: pa.Schema) -> Iterator[pa.Table]:
        """Rows of `table`, in batches, as `schema`."""
        for batch in rows.to_arrow_reader(BATCH_ROWS):
            yield pa.Table.from_batches([batch]).select(schema.names).cast(schema)

    def count(self, query: str, parameters: Parameters = None) -> int:
        """The one number that one SELECT gives."""
        ((number,),) = select(self._db.cursor(), query, parameters).fetchall()
        return number

    def rows(self, query: str) -> list[tuple]:
        """The few rows of one SELECT."""
        return select(self._db.cursor(), query, None).fetchall()

    def num_rows(self, name: str) -> int:
        """The number of rows of a table."""
        ((number,),) = self.table(name).count("*").fetchall()
        return number


def _locked(folder: Path) -> IO[str]:
    """A lock that the system takes back from a driver that is killed. It is held before others can see it."""
    file = (folder / "new").open("w")
    lock(file)
    (folder / "new").rename(folder / _LOCK)
    return file


def _clear(work: Path) -> None:
    """Deletes the folders of killed drivers."""
    for path in work.glob(f"*/{_LOCK}"):
        with suppress(FileNotFoundError, BlockingIOError), path.open() as file:
            lock(file, wait=False)
            shutil.rmtree(path.parent, ignore_errors=True)
