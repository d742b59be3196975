"""Reads groups from shards, by byte range, and finds damaged ones. How they lie there: layout.py."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables import FORMAT_VERSION
from workers.shards.layout import TOKEN_TENSORS
from workers.storage.safetensors_file import Tensors, decode_tensors
from workers.storage.store import Store


class ShardError(ValueError):
    """A group that cannot be read. The message names the shard, the group, what is wrong and the remedy."""


@dataclass(frozen=True)
class Group:
    """A video with its QA pairs, or a part of them: one WebDataset sample."""

    qa: list[dict[str, Any]]
    tensors: Tensors
    """Read-only arrays, laid out as told in layout.py; `clip_tokens` where they were asked for and are there."""

    def sample(self, row: int) -> dict[str, Any]:
        """QA pair `row` with its tokens, in arrays of its own.

        Gives all fields of the pair and `time_s` [N], `sample_index` [N], `keyframes` [K] (ascending positions in
        0 .. N-1), `keyframe_tokens` [K, P, C], `merged_tokens` [N, C] (zeros at the keyframes), and `clip_tokens`
        [ceil(N / clip_frames), R, C] where the group has them.
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


def read_group(store: Store, place: dict[str, Any], verify: bool = True, clips: bool = False) -> Group:
    """Reads the group of a row of `samples`, in one range of bytes. Raises ShardError for a damaged or missing one.

    Args:
        store: the corpus.
        place: the columns shard, sample_key, qa_offset, qa_bytes, tokens_offset and tokens_bytes.
        verify: compares both members with their checksums.
        clips: reads the video's clip tokens, too, if it has any: see `read_clips`.
    """
    start, end = place["qa_offset"], place["tokens_offset"] + place["tokens_bytes"]
    try:
        data = _read_range(store, place["shard"], start, end)
        qa = data[: place["qa_bytes"]]
        tensors, metadata = _decode(data[place["tokens_offset"] - start :], verify)
        if verify and metadata.get("qa_sha256") != hashlib.sha256(qa).hexdigest():
            raise ValueError("the QA pairs differ from their checksum")
        if missing := {*TOKEN_TENSORS} - tensors.keys():
            raise ValueError(f"tensors are missing: {', '.join(sorted(missing))}")
        pairs = json.loads(bytes(qa))
    except (OSError, ValueError) as error:
        raise _damaged(place, error) from error
    if clips and place["clips_bytes"]:
        tensors["clip_tokens"] = read_clips(store, place, verify)
    return Group(pairs, tensors)


def read_clips(store: Store, place: dict[str, Any], verify: bool = True) -> np.ndarray:
    """The clip tokens of a video, float16 [ceil(N / clip_frames), R, C].

    Args:
        store: the corpus.
        place: the columns shard, sample_key, clips_offset and clips_bytes of any row of the video in `samples`.
        verify: compares them with their checksum.

    Raises:
        ShardError: they are damaged, or there are none.
    """
    try:
        if not place["clips_bytes"]:
            raise ValueError("the video has no clip tokens: build with distill.hico=true")
        start = place["clips_offset"]
        tensors, _ = _decode(_read_range(store, place["shard"], start, start + place["clips_bytes"]), verify)
        return tensors["clip_tokens"]
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(place, error) from error


def _read_range(store: Store, shard: str, start: int, end: int) -> memoryview:
    with store.open(shard) as stream:
        if not 0 <= start <= end <= stream.size():
            raise ValueError(f"the file ends at byte {stream.size()}, the group at {end}")
        return memoryview(stream.read_at(end - start, start))


def _decode(data: memoryview, verify: bool) -> tuple[Tensors, dict[str, str]]:
    tensors, metadata = decode_tensors(data, verify)
    if metadata.get("format_version") != str(FORMAT_VERSION):
        raise ValueError(
            f"its format_version is {metadata.get('format_version', 1)}, this longvid reads {FORMAT_VERSION}"
        )
    return tensors, metadata


def _damaged(place: dict[str, Any], error: Exception) -> ShardError:
    return ShardError(
        f"{place['shard']}: group {place['sample_key']} cannot be read: {error}. "
        "Run `longvid verify` on the corpus; delete the shard and build again to have it rewritten."
    )


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
    seen = set()
    for sample_key in pc.unique(rows["sample_key"]).to_pylist():
        pairs = rows.filter(pc.equal(rows["sample_key"], sample_key)).to_pylist()
        try:
            # The clips of a video once, however many groups it has.
            found = read_group(store, pairs[0], clips=pairs[0]["video_id"] not in seen)
        except ShardError as error:
            yield str(error)
            continue
        seen.add(pairs[0]["video_id"])
        if [pair["qa_id"] for pair in found.qa] != [pair["qa_id"] for pair in pairs]:
            yield f"{pairs[0]['shard']}: group {sample_key} holds other QA pairs than the table samples; build again"
