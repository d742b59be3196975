"""A corpus of which only `shards/` and `tables/` are there, as it is published: what can be said of it."""

from collections.abc import Iterator

import pyarrow as pa

from pipeline.tables.workspace import Workspace, read_batches
from schemas.tables import SAMPLE, SHARE_ALIKE, TABLES
from workers.storage.store import Store

SAMPLES = "tables/samples.parquet"


def is_published_only(store: Store) -> bool:
    """Whether there are samples, but not all that a build would need to tell what is missing."""
    if not store.exists(SAMPLES):
        return False
    return not (store.exists("corpus.json") and store.exists("manifest.parquet") and store.has_folder("units"))


def table_rows(store: Store) -> dict[str, int]:
    """Rows of each table that is there. Raises ValueError or OSError for a damaged one, naming it."""
    return {name: store.num_rows(path) for name in TABLES if store.exists(path := f"tables/{name}.parquet")}


def damaged_tables(store: Store) -> Iterator[str]:
    """Reads each table but `samples`; yields a message a damaged one."""
    for path in (f"tables/{name}.parquet" for name in TABLES):
        try:
            if path != SAMPLES and store.exists(path):
                store.read_table(path)
        except (OSError, ValueError, pa.ArrowException) as error:
            yield f"{path}: damaged ({type(error).__name__}: {error}). Delete it and run the build again."


def samples_of(store: Store, work: Workspace) -> str | None:
    """Puts the table `samples` into the workspace; gives a message where it cannot be used."""
    try:
        with store.open(SAMPLES) as source:
            work.put("samples", map(_with_share_alike, read_batches(source)), SAMPLE)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        return f"{SAMPLES}: cannot be used ({type(error).__name__}: {error}): damaged, or of another format_version"
    return None


def _with_share_alike(samples: pa.Table) -> pa.Table:
    """The rows with the column SHARE_ALIKE, null where they were written before it was there."""
    if SHARE_ALIKE.name in samples.column_names:
        return samples
    return samples.append_column(SHARE_ALIKE, pa.nulls(samples.num_rows, SHARE_ALIKE.type))
