"""Checks a published corpus, which has only `shards/` and `tables/`."""

import pyarrow as pa

from pipeline.tables.damage import naming
from pipeline.tables.workspace import Workspace, read_batches, with_later_columns
from schemas.tables import TABLES
from schemas.tables.qa import SHARE_ALIKE
from schemas.tables.shards import SAMPLE
from workers.storage.store import Store

SAMPLES = "tables/samples.parquet"
# What tells where a sample is.
_PLACE = ["qa_id", "video_id", "shard", "shard_sha256", "sample_key", "row"]
_PLACE += ["qa_offset", "qa_bytes", "tokens_offset", "tokens_bytes", "clips_offset", "clips_bytes"]


def is_published_only(store: Store) -> bool:
    """Returns whether there are samples, but not all files that a build needs to find out what is missing."""
    if not store.exists(SAMPLES):
        return False
    return not (store.exists("corpus.json") and store.exists("manifest.parquet") and store.has_folder("units"))


def table_rows(store: Store) -> dict[str, int]:
    """Returns the number of rows of each existing table. Raises DamagedFile."""
    rows = {}
    for name in TABLES:
        if store.exists(path := f"tables/{name}.parquet"):
            with naming(path):
                rows[name] = store.num_rows(path)
    return rows


def samples_of(store: Store, work: Workspace) -> str | None:
    """Adds the table `samples` to the workspace; returns a message if it cannot be used."""
    # It imports pydantic, which `status` of a whole corpus does not need.
    from workers.shards.samples_table import typed_samples

    try:
        with store.open(SAMPLES) as source:
            tables = (with_later_columns(table, SHARE_ALIKE) for table in read_batches(source))
            work.put("samples", (table for table in tables if typed_samples(table, _PLACE)), SAMPLE)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        return f"{SAMPLES}: cannot be used ({type(error).__name__}: {error}): damaged, or of another format_version"
    return None
