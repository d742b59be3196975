"""Finds damaged shards."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from workers.shards.group import ShardError, read_group
from workers.storage.files import PathError
from workers.storage.store import Store


def find_damage(store: Store, samples: pa.Table) -> Iterator[str]:
    """Reads every byte of the shards of these rows of `samples`, all of whole shards; yields a message per fault."""
    for shard in pc.unique(samples["shard"]).to_pylist():
        rows = samples.filter(pc.equal(samples["shard"], shard))
        try:
            is_there = store.exists(shard)
        except PathError as error:
            yield f"tables/samples.parquet: shard = {error}"
            continue
        if not is_there:
            yield f"{shard}: the file is gone; build again"
            continue
        faults = list(_damaged_groups(store, rows))
        yield from faults
        if not faults and store.sha256(shard) != rows["shard_sha256"][0].as_py():
            yield f"{shard}: differs from its checksum, though not in what is trained on; delete it and build again"


def _damaged_groups(store: Store, rows: pa.Table) -> Iterator[str]:
    seen = set()
    for sample_key in pc.unique(rows["sample_key"]).to_pylist():
        pairs = rows.filter(pc.equal(rows["sample_key"], sample_key)).to_pylist()
        try:
            # Read the clips of a video once, independent of its number of groups.
            found = read_group(store, pairs[0], clips=pairs[0]["video_id"] not in seen)
        except ShardError as error:
            yield str(error)
            continue
        seen.add(pairs[0]["video_id"])
        if [pair["qa_id"] for pair in found.qa] != [pair["qa_id"] for pair in pairs]:
            yield f"{pairs[0]['shard']}: group {sample_key} holds other QA pairs than the table samples; build again"
