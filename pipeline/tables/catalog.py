"""Provides the tables of a corpus in DuckDB, which can read them but access nothing else."""

import re
import shlex
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.not_built import not_built
from pipeline.tables.closed_duckdb import connect
from schemas.tables import TABLES
from workers.fetch.redaction import redacted
from workers.storage.store import Store

# Of larger tables, a data set reads only the columns and row groups of a query; its import takes as long as 4 MB.
SMALL_BYTES = 1 << 22
# What DuckDB says if a table cannot be read; details such as a traceback may follow.
_BROKEN = re.compile(r"reading the stream registered as '(.+?)' failed: (.+?)\.?(?: Detail: |\n|$)")

_MADE_BY = {
    "contamination": "longvid decontaminate {} --against BENCHMARK",
    "reviews": "longvid review {} sheet.csv --draw 200",
}


class CatalogError(ValueError):
    """A query or corpus cannot be used. The message lists what exists instead."""


@contextmanager
def open_catalog(corpus: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens a connection with a view of each table of the corpus that has been built.

    Raises NotBuilt where there is none, CatalogError for a table that cannot be read and, in place of duckdb.Error, for
    a query that is wrong.
    """
    store = Store(corpus)
    paths = {PurePosixPath(p).stem: p for p in store.files("tables") if PurePosixPath(p).match("tables/*.parquet")}
    if not paths:
        raise not_built(store, "the tables")
    with connect(Path(tempfile.gettempdir()) / f"longvid-query-{uuid.uuid4().hex}") as catalog:
        for name, path in paths.items():
            # Arrow reads the files: DuckDB gets no path, since it could also overwrite any file that it may read.
            source = _source(store, path)
            try:
                catalog.register(name, source)
            except duckdb.Error as error:  # a column of a type that DuckDB does not have
                raise _damaged(path, error) from None
        try:
            yield catalog
        except duckdb.Error as error:
            raise _explained(store, sorted(paths), error) from None


class _SmallTable:
    """A table that DuckDB reads whole as an Arrow stream, whatever columns a query needs."""

    def __init__(self, store: Store, path: str) -> None:
        self._store, self._path = store, path
        with store.open(path) as source:
            self._schema = pq.read_schema(source)

    def __arrow_c_schema__(self) -> object:
        """Returns the schema of the table."""
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Returns a new stream of all rows."""
        file = pq.ParquetFile(self._store.open(self._path), page_checksum_verification=True)
        batches = pa.RecordBatchReader.from_batches(self._schema, file.iter_batches())
        return batches.__arrow_c_stream__(requested_schema)


def _source(store: Store, path: str) -> Any:
    """Returns what DuckDB can scan as the table. Raises CatalogError."""
    try:
        if store.size(path) <= SMALL_BYTES:
            return _SmallTable(store, path)
        import pyarrow.dataset as pads

        return pads.dataset(store.full(path), filesystem=store.filesystem)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _damaged(path, error) from None


def _damaged(path: str, error: object) -> CatalogError:
    return CatalogError(f"{path}: damaged ({error}). Delete it and run the build again.")


def _explained(store: Store, names: list[str], error: duckdb.Error) -> ValueError:
    if broken := _BROKEN.search(str(error)):
        return _damaged(f"tables/{broken[1]}.parquet", broken[2])
    if not (unknown := re.search(r"Table with name (.+?) does not exist", str(error))):
        return CatalogError(str(error))
    if unknown[1].lower() in TABLES and unknown[1].lower() not in names:
        return not_built(store, f"the table {unknown[1].lower()}")
    if options := _MADE_BY.get(unknown[1].lower()):
        command = options.format(shlex.quote(redacted(store.root)))
        return CatalogError(f"the table {unknown[1].lower()}: not there yet: run `{command}`")
    return CatalogError(f"there is no table {unknown[1]!r}; there are: {', '.join(names)}")
