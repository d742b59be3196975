"""A group: what rests together in a shard, and how its tokens are laid out, written and read.

A group is a video with its QA pairs, or a part of them. Its members, in this order:

    <sample_key>.json                 facts of the video, licence, source
    <sample_key>.qa.json              list of QA pairs; entry i is row i of the Q axis below
    <sample_key>.tokens.safetensors   time_s [N] f8, sample_index [N] i8, keyframes [U] i4, keyframe_tokens [U, P, C]
                                      f2, query_keyframes [Q, K] i4, merged_tokens [Q, N, C] f2, clip_tokens
                                      [ceil(N/4), R, C] f2

`keyframes` are positions in 0 .. N-1, ascending; `query_keyframes` are rows of `keyframes`, -1 pads. `clip_tokens` is
there where HiCo is on. The safetensors metadata holds `sha256` of its data and `qa_sha256` of the `.qa.json` member.
"""

import hashlib
import json
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workers.safetensors_file import Tensors, decode_tensors
from workers.storage import Store

# What a part of the queries takes of a distill unit: rows of the queries, rows of the keyframes, or all.
QUERY_TENSORS = ("query_keyframes", "merged_tokens")
KEYFRAME_TENSORS = ("keyframes", "keyframe_tokens")
SHARED_TENSORS = ("time_s", "sample_index")
OPTIONAL_TENSORS = ("clip_tokens",)


@dataclass(frozen=True)
class TokenUnit:
    """A distill unit, mapped into memory and not compared with its checksum yet."""

    path: str
    tensors: Tensors
    sha256: str
    """Of the data, as the unit's metadata has it."""
    data: memoryview

    def verify(self, found: str = "") -> None:
        """Raises ValueError for a damaged unit. `found`: the SHA-256 of the same tensors where it is known already."""
        if found != self.sha256 != hashlib.sha256(self.data).hexdigest():
            raise ValueError(f"{self.path}: the data differs from its checksum; delete the file and build again")


@contextmanager
def open_tokens(store: Store, path: str) -> Iterator[TokenUnit]:
    """A distill unit; its arrays take memory only as they are read. Raises ValueError for a file that is none."""
    with store.local(path) as file, file.open("rb") as stream:
        try:
            # Not closed by hand: the mapping lives as long as the last array on it.
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            tensors, metadata = decode_tensors(mapped, verify=False)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; delete the file and build again") from None
        start = 8 + int.from_bytes(mapped[:8], "little")
        yield TokenUnit(path, tensors, metadata.get("sha256", ""), memoryview(mapped)[start:])


def shared_bytes(tensors: Tensors) -> int:
    """Bytes that every part of a video has a copy of: times and clip tokens."""
    return sum(tensors[name].nbytes for name in (*SHARED_TENSORS, *OPTIONAL_TENSORS) if name in tensors)


def take_queries(tensors: Tensors, rows: slice) -> Tensors:
    """The tensors of some queries: their rows, and of the keyframes only those that they use."""
    query_keyframes = tensors["query_keyframes"][rows]
    used = np.unique(query_keyframes[query_keyframes >= 0])
    # One entry more, so that the pad -1 finds a -1.
    renumber = np.full(len(tensors["keyframes"]) + 1, -1, query_keyframes.dtype)
    renumber[used] = np.arange(len(used))
    part = {name: tensors[name] for name in (*SHARED_TENSORS, *OPTIONAL_TENSORS) if name in tensors}
    part["query_keyframes"] = renumber[query_keyframes]
    part["merged_tokens"] = tensors["merged_tokens"][rows]
    for name in KEYFRAME_TENSORS:
        whole = len(used) == len(tensors[name])
        part[name] = tensors[name] if whole else tensors[name][used]
    return part


class ShardError(ValueError):
    """A group that cannot be read. The message names the shard, the group, what is wrong and the remedy."""


@dataclass(frozen=True)
class Group:
    """A video with its QA pairs, or a part of them: what rests together in a shard."""

    qa: list[dict[str, Any]]
    tensors: Tensors
    """Read-only arrays, laid out as told above."""

    def sample(self, row: int) -> dict[str, Any]:
        """QA pair `row` with its tokens, in arrays of its own.

        Gives all fields of the pair and `time_s` [N], `sample_index` [N], `keyframes` [K] (ascending positions in
        0 .. N-1), `keyframe_tokens` [K, P, C], `merged_tokens` [N, C]; `clip_tokens` [ceil(N/4), R, C] with HiCo.
        """
        tensors = self.tensors
        used = tensors["query_keyframes"][row]
        used = used[used >= 0]
        own = {
            "keyframes": tensors["keyframes"][used].astype(np.int64),
            "keyframe_tokens": tensors["keyframe_tokens"][used],
            "merged_tokens": tensors["merged_tokens"][row].copy(),
        }
        shared: dict[str, Any] = {
            name: tensors[name].copy() for name in ("time_s", "sample_index", "clip_tokens") if name in tensors
        }
        return {**self.qa[row], **shared, **own}


def read_group(store: Store, place: dict[str, Any], verify: bool = True) -> Group:
    """Reads the group of a row of `samples`, in one range of bytes. Raises ShardError for a damaged or missing one.

    Args:
        place: the columns shard, sample_key, qa_offset, qa_bytes, tokens_offset and tokens_bytes.
        verify: compares both members with their checksums.
    """
    start, end = place["qa_offset"], place["tokens_offset"] + place["tokens_bytes"]
    try:
        with store.open(place["shard"]) as stream:
            data = memoryview(stream.read_at(end - start, start))
        if len(data) < end - start:
            raise ValueError(f"the file ends at byte {start + len(data)}, the group at {end}")
        qa = data[: place["qa_bytes"]]
        tensors, metadata = decode_tensors(data[place["tokens_offset"] - start :], verify)
        if verify and metadata.get("qa_sha256") != hashlib.sha256(qa).hexdigest():
            raise ValueError("the QA pairs differ from their checksum")
        if missing := {*QUERY_TENSORS, *KEYFRAME_TENSORS, *SHARED_TENSORS} - tensors.keys():
            raise ValueError(f"tensors are missing: {', '.join(sorted(missing))}")
        return Group(json.loads(bytes(qa)), tensors)
    except (OSError, ValueError) as error:
        raise ShardError(
            f"{place['shard']}: group {place['sample_key']} cannot be read: {error}. "
            "Run `longvid verify` on the corpus; delete the shard and build again to have it rewritten."
        ) from error


def find_damage(store: Store, samples: pa.Table) -> Iterator[str]:
    """Reads every byte of the shards of these rows of `samples`, whole shards each; yields a message a fault."""
    for shard in pc.unique(samples["shard"]).to_pylist():
        rows = samples.filter(pc.equal(samples["shard"], shard))
        if not store.exists(shard):
            yield f"{shard}: the file is gone; build again"
            continue
        faults = list(_damaged_groups(store, rows))
        yield from faults
        if not faults and store.sha256(shard) != rows["shard_sha256"][0].as_py():
            yield f"{shard}: differs from its checksum, though not in what is trained on; delete it and build again"


def _damaged_groups(store: Store, rows: pa.Table) -> Iterator[str]:
    for group in pc.unique(rows["sample_key"]).to_pylist():
        pairs = rows.filter(pc.equal(rows["sample_key"], group)).to_pylist()
        try:
            found = read_group(store, pairs[0])
        except ShardError as error:
            yield str(error)
            continue
        if [pair["qa_id"] for pair in found.qa] != [pair["qa_id"] for pair in pairs]:
            yield f"{pairs[0]['shard']}: group {group} holds other QA pairs than the table samples; build again"
