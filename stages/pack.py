"""pack: writes the QA pairs of several videos and their tokens to a WebDataset shard. N:1.

A unit is one shard; its rows become the table `samples`. Shards are planned by the sizes that `group` computed. The tar
is written before the unit's file, which commits it. For the format, see workers/shards/layout.py.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from pydantic import Field

from schemas.rows import GroupingRow, GroupRow, Row
from schemas.stage import Stage
from schemas.tables.shards import SAMPLE
from stages.group import QA_COLUMNS, GroupConfig, publish
from workers.shards.layout import CLIP_TENSORS, clips_metadata, take_queries, tokens_metadata
from workers.shards.token_unit import open_tokens
from workers.shards.writer import ShardWriter, archive_bytes, encode_json, shard_key
from workers.storage.safetensors_file import Tensors, encode_tensors
from workers.storage.store import Store

# `videos` is JSON, a list of the rows of PLANNED: one string travels better than a deep struct.
PACK_UNIT = pa.schema([("shard", pa.string()), ("split", pa.string()), ("videos", pa.string())])
PLANNED = ("video_id", "group_unit", "write_qa_unit", "distill_unit")
# What the table `samples` takes from the `.json` member; all else is the QA pair's.
_DESCRIBED = (
    "video_id",
    "name",
    "split",
    "licence",
    "source",
    "sample_key",
    "duration_s",
    "sample_window",
    "num_frames",
)
_OF_THE_PAIR = ("qa_id", "task", "question", "answer", "provenance", "flags", "share_alike")


class PackConfig(GroupConfig):
    """Sets how samples are split, grouped and distributed over shards."""

    shard_bytes: int = Field(1 << 30, ge=1 << 10)
    """Maximum size of a shard in bytes; a larger video becomes a shard of its own."""


def plan_shards(videos: Iterable[Row], config: PackConfig) -> Iterator[Row]:
    """Yields the shards of a corpus as rows of PACK_UNIT; holds one open shard per split in memory.

    Args:
        videos: rows of PLANNED with `split` and `packed_bytes` of GROUPING, in ascending order of `video_id`.
        config: see `PackConfig`.

    Raises:
        ValueError: the videos are in another order, which would result in other shards.
    """
    open_shards: dict[str, _OpenShard] = {}
    before = ""
    for video in videos:
        if video["video_id"] <= before:
            raise ValueError(f"video {video['video_id']} comes after {before}: sort the videos by video_id, each once")
        before = video["video_id"]
        shard = open_shards.setdefault(video["split"], _OpenShard())
        if shard.videos and archive_bytes(shard.num_bytes + video["packed_bytes"]) > config.shard_bytes:
            yield shard.unit(video["split"])
            shard.index, shard.num_bytes, shard.videos = shard.index + 1, 0, []
        shard.num_bytes += video["packed_bytes"]
        shard.videos.append({name: video[name] for name in PLANNED})
    for split, shard in sorted(open_shards.items()):
        yield shard.unit(split)


@dataclass
class _OpenShard:
    index: int = 0
    num_bytes: int = 0
    videos: list[Row] = field(default_factory=list)

    def unit(self, split: str) -> Row:
        text = json.dumps(self.videos, sort_keys=True, separators=(",", ":"))
        return {"shard": f"shards/{split}/{self.index:06d}.tar", "split": split, "videos": text}


def run(unit: Row, config: PackConfig, store: Store) -> Iterator[pa.Table]:
    """Writes the tar completely or not at all, then yields the rows of its samples.

    Raises:
        ValueError: a unit of a video is damaged; the message contains its path.
    """
    samples: list[Row] = []
    with store.writer(unit["shard"]) as stream, ShardWriter(stream, unit["unit_path"]) as writer:
        for video in json.loads(unit["videos"]):
            samples += _write_video(writer, video, store)
    whole = {"shard": unit["shard"], "shard_sha256": writer.sha256, "shard_bytes": writer.size_bytes}
    yield pa.Table.from_pylist([{**sample, **whole} for sample in samples], SAMPLE)


def _write_video(writer: ShardWriter, video: Row, store: Store) -> list[Row]:
    """Writes one video and returns its rows of `samples`, without the columns of the shard."""
    plan: GroupingRow = store.read_table(video["group_unit"]).to_pylist()[0]
    pairs = store.read_table(video["write_qa_unit"], QA_COLUMNS).to_pylist()
    samples: list[Row] = []
    clips_place: Row = {"clips_offset": None, "clips_bytes": None}
    begin, sha256 = writer.size_bytes, ""
    with open_tokens(store, video["distill_unit"]) as unit:
        clips = {name: unit.tensors[name] for name in CLIP_TENSORS if name in unit.tensors}
        for part, group in enumerate(plan["groups"]):
            rows = slice(group["first_row"], group["first_row"] + group["num_rows"])
            frames = slice(group["first_frame"], group["first_frame"] + group["num_frames"])
            tensors = take_queries(unit.tensors, rows, frames, group["origin_s"])
            written, sha256 = _write_group(writer, group, pairs[rows], tensors)
            if clips and not part:
                chunks, _ = encode_tensors(clips, clips_metadata())
                offset, size = writer.add(f"{group['sample_key']}.clips.safetensors", chunks)
                clips_place = {"clips_offset": offset, "clips_bytes": size}
            samples += [{**sample, **clips_place} for sample in written]
        # Hashing takes as long as writing, and the hash of a group that contains the whole unit is already known.
        unit.verify(sha256)
    if writer.size_bytes - begin != plan["packed_bytes"]:
        raise ValueError(
            f"{video['group_unit']}: plans {plan['packed_bytes']} bytes, written were {writer.size_bytes - begin}: it "
            "is not of these QA pairs and tokens; delete the file and build again"
        )
    return samples


def _write_group(writer: ShardWriter, group: GroupRow, pairs: list[Row], tensors: Tensors) -> tuple[list[Row], str]:
    """Writes one group; returns its rows of `samples`, without the columns of the shard, and the tensors' SHA-256."""
    sample_key, facts = group["sample_key"], json.loads(group["facts"])
    writer.add(f"{sample_key}.json", [group["facts"].encode()])
    published = [publish(pair, facts["licence"]) for pair in pairs]
    qa = encode_json(published)
    qa_offset, qa_bytes = writer.add(f"{sample_key}.qa.json", [qa])
    chunks, sha256 = encode_tensors(tensors, tokens_metadata(hashlib.sha256(qa).hexdigest()))
    tokens_offset, tokens_bytes = writer.add(f"{sample_key}.tokens.safetensors", chunks)
    place = {"qa_offset": qa_offset, "qa_bytes": qa_bytes, "tokens_offset": tokens_offset, "tokens_bytes": tokens_bytes}
    num_keyframes = (tensors["query_keyframes"] >= 0).sum(axis=1).tolist()
    tokens_per_keyframe, num_frames = tensors["keyframe_tokens"].shape[1], len(tensors["time_s"])
    samples = [
        {
            **{name: facts[name] for name in _DESCRIBED},
            **{name: pair[name] for name in _OF_THE_PAIR},
            **place,
            "row": row,
            "num_keyframes": keyframes,
            # A keyframe has a grid of tokens, any other frame one merged token.
            "num_visual_tokens": keyframes * tokens_per_keyframe + num_frames - keyframes,
        }
        for row, (pair, keyframes) in enumerate(zip(published, num_keyframes, strict=True))
    ]
    return samples, sha256


def is_complete(unit: Row, store: Store) -> bool:
    """Returns whether the shard belongs to this unit and has its size; another plan may have overwritten it."""
    if shard_key(store, unit["shard"]) != unit["unit_path"]:
        return False
    sizes = store.read_table(unit["unit_path"], ["shard_bytes"])["shard_bytes"]
    return bool(store.size(unit["shard"]) == sizes[0].as_py())


def stage(config: PackConfig) -> Stage:
    """Declares the stage."""
    return Stage(
        name="pack",
        version=5,
        reads=PACK_UNIT,
        writes=SAMPLE,
        run=run,
        config=config,
        emits="unit",
        kind="shard",
        is_complete=is_complete,
    )
