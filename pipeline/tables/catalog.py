"""Provides the tables of a corpus in DuckDB, which can read them but access nothing else."""

import re
import shlex
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads

from pipeline.not_built import not_built
from pipeline.tables.closed_duckdb import connect
from schemas.tables import TABLES
from workers.fetch.redaction import redacted
from workers.storage.store import Store


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
            catalog.register(name, _dataset(store, path))
        try:
            yield catalog
        except duckdb.Error as error:
            raise _explained(store, sorted(paths), error) from None


def _dataset(store: Store, path: str) -> pads.Dataset:
    try:
        return pads.dataset(store.full(path), filesystem=store.filesystem)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CatalogError(f"{path}: damaged ({error}). Delete it and run the build again.") from None


def _explained(store: Store, names: list[str], error: duckdb.Error) -> ValueError:
    if not (unknown := re.search(r"Table with name (.+?) does not exist", str(error))):
        return CatalogError(str(error))
    if unknown[1].lower() in TABLES and unknown[1].lower() not in names:
        return not_built(store, f"the table {unknown[1].lower()}")
    if unknown[1].lower() == "contamination":
        command = f"longvid decontaminate {shlex.quote(redacted(store.root))} --against BENCHMARK"
        return CatalogError(f"the table contamination: not there yet: run `{command}`")
    return CatalogError(f"there is no table {unknown[1]!r}; there are: {', '.join(names)}")
