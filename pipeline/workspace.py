"""The driver's own tables while it works: Parquet files in a temporary folder, joined by DuckDB out of core.

So the driver's memory does not grow with the number of videos.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from workers.node_folder import node_folder

BATCH_ROWS = 4096
_LOCK = ".lock"


def read_batches(source: Path | pa.NativeFile) -> Iterator[pa.Table]:
    """A Parquet file in batches."""
    for batch in pq.ParquetFile(source).iter_batches(BATCH_ROWS):
        yield pa.Table.from_batches([batch])


class Workspace:
    """A context; its tables are views of one DuckDB connection and vanish with it."""

    def __enter__(self) -> "Workspace":
        work = node_folder("work")
        _clear(work)
        self.folder = Path(tempfile.mkdtemp(dir=work))
        self._lock = _locked(self.folder)
        self._db = duckdb.connect(config={"threads": 1, "memory_limit": "1GB", "temp_directory": str(self.folder)})
        return self

    def __exit__(self, *exc) -> None:
        self._db.close()
        shutil.rmtree(self.folder)
        self._lock.close()

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def put(self, name: str, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
        """Writes a table and makes it a view; gives its number of rows."""
        rows = 0
        with pq.ParquetWriter(self.path(name), schema) as writer:
            for table in tables:
                writer.write_table(table.select(schema.names).cast(schema))
                rows += table.num_rows
        # The path is this class' own: a temporary folder and the name of a phase or table.
        self._db.execute(f"create or replace view {name} as select * from read_parquet('{self.path(name)}')")
        return rows

    def sql(self, query: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """Rows of a query, in batches, as `schema`."""
        reader = self._db.cursor().sql(query).to_arrow_reader(BATCH_ROWS)
        for batch in reader:
            yield pa.Table.from_batches([batch]).select(schema.names).cast(schema)

    def count(self, query: str) -> int:
        """The one number a query gives."""
        ((number,),) = self._db.cursor().execute(query).fetchall()
        return number


def _locked(folder: Path) -> IO[str]:
    """A lock that the system takes back from a driver that is killed. It is held before others can see it."""
    lock = (folder / "new").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "new").rename(folder / _LOCK)
    return lock


def _clear(work: Path) -> None:
    """Deletes the folders of killed drivers."""
    for path in work.glob(f"*/{_LOCK}"):
        with suppress(FileNotFoundError, BlockingIOError), path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)
