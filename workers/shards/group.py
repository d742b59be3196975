"""Reads groups from shards by byte range, and detects damaged ones. layout.py describes the layout."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.messages import printable
from schemas.rows import ClipsPlace
from schemas.tables import FORMAT_VERSION
from workers.shards.group_checks import check_axes, check_tokens, parse_pairs
from workers.shards.layout import TOKEN_TENSORS
from workers.storage.safetensors_file import Tensors, decode_tensors
from workers.storage.store import Store

MAX_MEMBER_BYTES, MAX_JSON_BYTES = 1 << 32, 1 << 26


class ShardError(ValueError):
    """A group cannot be read. The message contains the shard, the group, the fault and the remedy."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))  # it quotes names in untrusted files, and may be logged


@dataclass(frozen=True)
class Group:
    """Holds a video with its QA pairs, or a part of them: one WebDataset sample."""

    qa: list[dict[str, Any]]
    tensors: Tensors
    """Read-only arrays with the layout described in layout.py; `clip_tokens` if requested and available."""

    def sample(self, row: int) -> dict[str, Any]:
        """Returns QA pair `row` with copies of its tokens.

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


def read_group(store: Store, place: ClipsPlace, verify: bool = True, clips: bool = False) -> Group:
    """Reads the group of a row of `samples` as one byte range. Raises ShardError for a damaged or missing one.

    Args:
        store: the corpus.
        place: the columns shard, sample_key, qa_offset, qa_bytes, tokens_offset and tokens_bytes.
        verify: compares both members with their checksums.
        clips: reads the video's clip tokens, too, if it has any: see `read_clips`.
    """
    start, size = place["qa_offset"], place["qa_bytes"]
    to_tokens, end = place["tokens_offset"] - start, place["tokens_offset"] + place["tokens_bytes"]
    try:
        if not (0 <= size <= min(to_tokens, MAX_JSON_BYTES) and place["tokens_bytes"] >= 0):
            raise ValueError(f"its byte ranges cannot be those of a group, or it has over {MAX_JSON_BYTES} bytes of QA")
        data = _read_range(store, place["shard"], start, end)
        group = decode_group(data[:size], data[to_tokens:], verify)
    except (OSError, ValueError) as error:
        raise _damaged(place, error) from error
    if clips and place["clips_bytes"]:
        group.tensors["clip_tokens"] = read_clips(store, place, verify)
    return group


def decode_group(qa: bytes | memoryview, tokens: bytes | memoryview, verify: bool = True) -> Group:
    """Parses a group from its members `.qa.json` and `.tokens.safetensors`. Raises ValueError for damaged ones."""
    tensors, metadata = _decode(tokens, verify)
    if verify and metadata.get("qa_sha256") != hashlib.sha256(qa).hexdigest():
        raise ValueError("the QA pairs differ from their checksum")
    if missing := {*TOKEN_TENSORS} - tensors.keys():
        raise ValueError(f"tensors are missing: {', '.join(sorted(missing))}")
    pairs = parse_pairs(qa)
    check_tokens(tensors, len(pairs))
    return Group(pairs, tensors)


def decode_clips(clips: bytes | memoryview, verify: bool = True) -> np.ndarray:
    """Parses the clip tokens of a member `.clips.safetensors`. Raises ValueError or KeyError for a damaged one."""
    tensors, _ = _decode(clips, verify)
    check_axes({"clip_tokens": tensors["clip_tokens"]})
    return tensors["clip_tokens"]


def read_clips(store: Store, place: ClipsPlace, verify: bool = True) -> np.ndarray:
    """Returns the clip tokens of a video, float16 [ceil(N / clip_frames), R, C].

    Args:
        store: the corpus.
        place: the columns shard, sample_key, clips_offset and clips_bytes of any row of the video in `samples`.
        verify: compares them with their checksum.

    Raises:
        ShardError: they are damaged, or there are none.
    """
    try:
        start, size = place["clips_offset"], place["clips_bytes"]
        if start is None or not size:
            raise ValueError("the video has no clip tokens: build with distill.hico=true")
        return decode_clips(_read_range(store, place["shard"], start, start + size), verify)
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(place, error) from error


def _read_range(store: Store, shard: str, start: int, end: int) -> memoryview:
    with store.open(shard) as stream:
        if not 0 <= start <= end <= stream.size():
            raise ValueError(f"the file ends at byte {stream.size()}, the group at {end}")
        if end - start > MAX_MEMBER_BYTES:
            raise ValueError(f"it has {end - start} bytes; {MAX_MEMBER_BYTES} are allowed")
        return memoryview(stream.read_at(end - start, start))


def _decode(data: bytes | memoryview, verify: bool) -> tuple[Tensors, dict[str, str]]:
    tensors, metadata = decode_tensors(data, verify)
    if metadata.get("format_version") != str(FORMAT_VERSION):
        raise ValueError(
            f"its format_version is {metadata.get('format_version', 1)}, this longvid reads {FORMAT_VERSION}"
        )
    return tensors, metadata


def _damaged(place: ClipsPlace, error: Exception) -> ShardError:
    return ShardError(
        f"{place['shard']}: group {place['sample_key']} cannot be read: {error}. "
        "Run `longvid verify` on the corpus; delete the shard and build again to have it rewritten."
    )
