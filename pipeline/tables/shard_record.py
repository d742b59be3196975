"""The table `shards`: the shards that longvid wrote. A build deletes those no longer planned, and no other file.

A corpus' folder is its users' as well: next to the shards may lie an index of another reader, notes or other tars.
"""

import re
from typing import Any

import pyarrow as pa

from pipeline.tables.gather import publish_query
from pipeline.tables.workspace import Workspace
from schemas.config import ConfigError
from schemas.tables.shards import SHARD
from workers.shards.writer import shard_key
from workers.storage.files import PathError
from workers.storage.store import Store

RECORD = "tables/shards.parquet"
_OURS = re.compile(r"shards/[A-Za-z0-9][A-Za-z0-9_-]{0,31}/[0-9]{6,}\.tar")
_SHARDS = """
    select shard, any_value(split) as split, list(distinct sample_key order by sample_key) as sample_keys,
           count(*) as num_samples, any_value(shard_bytes) as shard_bytes, any_value(shard_sha256) as shard_sha256
    from samples group by shard order by shard"""


class ShardInTheWay(ConfigError):
    """A file that longvid did not write has the name of a planned shard. Raised before any work."""


def note_planned(work: Workspace, store: Store) -> None:
    """Records the shards before they are written, so that those of a killed build are known as well.

    Raises ShardInTheWay where one would be written over a file that is none.
    """
    planned = [row["shard"] for row in work.rows("select distinct shard from pack_todo order by shard")]
    for shard in planned:
        if store.exists(shard) and not _is_shard(store, shard):
            raise ShardInTheWay(
                f"{shard}: is not written by longvid, or damaged in its first bytes, and the build would write a shard "
                "of this name: move it away, or delete it"
            )
    recorded = _recorded(store)
    known = {row["shard"] for row in recorded}
    if new := [{"shard": shard} for shard in planned if shard not in known]:
        store.write_tables(RECORD, [pa.Table.from_pylist(recorded + new, SHARD)], SHARD)


def gather_shards(work: Workspace, store: Store, publish: bool) -> None:
    """Creates the table `shards` from `samples`, in the workspace and, with `publish`, in the corpus."""
    publish_query("shards", _SHARDS, SHARD, work, store, publish)


def drop_stale(work: Workspace, store: Store) -> list[str]:
    """Deletes the shards of an earlier plan, which readers that list the folder would read.

    Only what the corpus has recorded and what still is what was written; gives a note for each that is not.
    """
    planned = {row["shard"] for row in work.rows("select distinct shard from samples")}
    notes = []
    for row in _recorded(store):
        shard = row["shard"]
        try:
            if shard in planned or not _OURS.fullmatch(shard) or not store.exists(shard):
                continue
            if _is_shard(store, shard) and row["shard_sha256"] in (None, store.sha256(shard)):
                store.delete(shard)
            else:
                notes.append(f"{shard}: belongs to no plan any more, but is not what was written there: left alone")
        except PathError as error:
            notes.append(f"{shard}: belongs to no plan any more: left alone: {error}")
    return notes


def _is_shard(store: Store, path: str) -> bool:
    return (shard_key(store, path) or "").startswith("units/pack/")


def _recorded(store: Store) -> list[dict[str, Any]]:
    """Returns rows of SHARD recorded by earlier builds, taken from `samples` if there was no table `shards` yet."""
    if store.exists(RECORD):
        return store.read_table(RECORD, SHARD.names).to_pylist()
    if store.exists("tables/samples.parquet"):
        columns = ["shard", "shard_sha256"]
        return store.read_table("tables/samples.parquet", columns).group_by(columns).aggregate([]).to_pylist()
    return []
