"""pack: QA pairs and their tokens become WebDataset shards, and a row a pair in the table `samples`. N:1.

A unit is one shard. Its videos are planned from the sizes of their tokens before any is read; the tar is written beside
the unit's file, and before it. The format is told in workers/shards/group.py.
"""

import hashlib
import json
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import ConfigError, Resources, StageConfig
from schemas.stage import Stage
from schemas.tables import QA, SAMPLE
from workers.safetensors_file import Tensors, encode_tensors
from workers.shards.group import (
    KEYFRAME_TENSORS,
    QUERY_TENSORS,
    SHARED_TENSORS,
    open_tokens,
    shared_bytes,
    take_queries,
)
from workers.shards.writer import ShardWriter, encode_json, shard_key
from workers.storage import Store

Row = dict[str, Any]

# `videos` is JSON, a list of the rows of PLANNED and FACTS: one string travels better than a deep struct.
PACK_UNIT = pa.schema([("shard", pa.string()), ("split", pa.string()), ("videos", pa.string())])
UNITS = ("write_qa_unit", "select_unit", "distill_unit")
PLANNED = ("video_id", "name", "licence", "source", "duration_s", *UNITS)
# Of the table `videos`; nothing that says where a file lies, so that a shard doesn't change when a corpus is moved.
FACTS = ("sha256", "codec", "width", "height", "average_fps", "frame_count", "first_frame_s", "flags")

QA_COLUMNS = [name for name in QA.names if name not in ("select_queries", "merge_query")]
_SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


class PackConfig(StageConfig):
    """How samples are split and gathered into shards."""

    # Copying and hashing: one core keeps a disk busy. Not fused with anything, since packing is a phase of its own.
    resources: Resources = Resources(cpus=1.0, workers=(1, 4))
    shard_bytes: int = Field(1 << 30, ge=1 << 10)
    """A shard is closed before the video with which it would pass this size; a larger video is a shard alone."""
    group_bytes: int = Field(1 << 26, ge=1 << 10)
    """A video with more tokens is split by QA into groups of about this size; a reader holds one a lane."""
    val_fraction: float = Field(0.05, ge=0, lt=1)
    """Share of the videos without a split in the manifest that go to `val`; the others go to `train`."""
    split_seed: int = Field(0, ge=0)
    """Another seed puts other videos into `val`."""


def split_of(video: Row, config: PackConfig) -> str:
    """The split of a video with all its QA pairs: the manifest's, or by the hash of its content.

    So two copies of one file never lie on both sides. Raises ConfigError for a split that cannot name a folder.
    """
    if video["split"]:
        if not _SPLIT.fullmatch(video["split"]):
            raise ConfigError(
                f"split = {video['split']!r} of video {video['name']!r}: use at most 32 letters, digits, '_' and '-', "
                "such as train, val or test"
            )
        return video["split"]
    content = video["sha256"] or video["video_id"]
    chance = int(hashlib.sha256(f"{config.split_seed}:{content}".encode()).hexdigest()[:13], 16) / 16**13
    return "val" if chance < config.val_fraction else "train"


def plan_shards(videos: Iterable[Row], config: PackConfig) -> Iterator[Row]:
    """The shards of a corpus, as rows of PACK_UNIT; holds one open shard a split, however many videos there are.

    Args:
        videos: rows of the table `videos` with `write_qa_unit`, `select_unit`, `distill_unit` and `distill_bytes`,
            the size of the last, in ascending order of `video_id`.

    Raises:
        ValueError: where the videos come in another order, which would give other shards.
    """
    open_shards: dict[str, _OpenShard] = {}
    before = ""
    for video in videos:
        if video["video_id"] <= before:
            raise ValueError(f"video {video['video_id']} comes after {before}: sort the videos by video_id, each once")
        before = video["video_id"]
        shard = open_shards.setdefault(split_of(video, config), _OpenShard())
        if shard.videos and shard.num_bytes + video["distill_bytes"] > config.shard_bytes:
            yield shard.unit(split_of(video, config))
            shard.index, shard.num_bytes, shard.videos = shard.index + 1, 0, []
        shard.num_bytes += video["distill_bytes"]
        shard.videos.append({n: video[n] for n in PLANNED} | {"facts": {n: video[n] for n in FACTS}})
    for split, shard in sorted(open_shards.items()):
        yield shard.unit(split)


@dataclass
class _OpenShard:
    index: int = 0
    num_bytes: int = 0
    videos: list[Row] = field(default_factory=list)

    def unit(self, split: str) -> Row:
        text = json.dumps(self.videos, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return {"shard": f"shards/{split}/{self.index:06d}.tar", "split": split, "videos": text}


def run(unit: Row, config: PackConfig, store: Store) -> Iterator[pa.Table]:
    """Writes the tar, whole or not at all, then yields the rows of its samples.

    Raises ValueError where units of a video do not belong together or one is damaged: its tokens would train a model on
    answers to other questions.
    """
    samples: list[Row] = []
    with store.writer(unit["shard"]) as stream, ShardWriter(stream, unit["unit_path"]) as writer:
        for video in json.loads(unit["videos"]):
            samples += _write_video(writer, {**video, "split": unit["split"]}, config, store)
    whole = {"shard": unit["shard"], "shard_sha256": writer.sha256, "shard_bytes": writer.size_bytes}
    yield pa.Table.from_pylist([{**sample, **whole} for sample in samples], SAMPLE)


def _write_video(writer: ShardWriter, video: Row, config: PackConfig, store: Store) -> Iterator[Row]:
    pairs = store.read_table(video["write_qa_unit"], QA_COLUMNS).to_pylist()
    selected = store.read_table(video["select_unit"], ["qa_id", "keyframes"]).to_pylist()
    with open_tokens(store, video["distill_unit"]) as unit:
        check_belong_together(video, pairs, selected, unit.tensors)
        parts = _parts(unit.tensors, config.group_bytes)
        for part, rows in enumerate(parts):
            sample_key = video["video_id"] + (f"-{part:05d}" if len(parts) > 1 else "")
            facts = {"sample_key": sample_key, "part": part, "num_parts": len(parts)}
            facts["num_frames"] = len(unit.tensors["time_s"])
            tensors = take_queries(unit.tensors, rows)
            sha256 = yield from _write_group(writer, {**video, **facts}, pairs[rows], tensors)
        # Hashing takes as long as writing: a group that is the whole unit has told its hash by now.
        unit.verify(sha256)


def _parts(tensors: Tensors, group_bytes: int) -> list[slice]:
    """Rows of the queries, by group. What each group has a copy of is at most half of it, so at most doubles in sum."""
    num_queries = len(tensors["query_keyframes"])
    shared = shared_bytes(tensors)
    own = sum(tensors[name].nbytes for name in QUERY_TENSORS + KEYFRAME_TENSORS)
    num_parts = min(num_queries, -(-own // max(group_bytes - shared, shared, 1)))
    cuts = [part * num_queries // num_parts for part in range(num_parts + 1)]
    return [slice(first, last) for first, last in zip(cuts, cuts[1:], strict=False)]


def _write_group(writer: ShardWriter, video: Row, pairs: list[Row], tensors: Tensors) -> Generator[Row, None, str]:
    """Yields the rows of `samples`, as far as they are known; gives the SHA-256 of the tensors."""
    sample_key = video["sample_key"]
    described = {name: video[name] for name in (*PLANNED, "split", "sample_key", "part", "num_parts", "num_frames")}
    described = {name: value for name, value in described.items() if name not in UNITS}
    writer.add(f"{sample_key}.json", [encode_json({**video["facts"], **described, "num_qa": len(pairs)})])
    qa = encode_json([_published(pair) for pair in pairs])
    qa_offset, qa_bytes = writer.add(f"{sample_key}.qa.json", [qa])
    metadata = {"qa_sha256": hashlib.sha256(qa).hexdigest()}
    tokens, sha256 = encode_tensors(tensors, metadata)
    tokens_offset, tokens_bytes = writer.add(f"{sample_key}.tokens.safetensors", tokens)
    num_keyframes = (tensors["query_keyframes"] >= 0).sum(axis=1)
    tokens_a_keyframe = tensors["keyframe_tokens"].shape[1]
    for row, pair in enumerate(pairs):
        keyframes = int(num_keyframes[row])
        yield {
            **{name: pair[name] for name in SAMPLE.names if name in pair},
            **{name: described[name] for name in SAMPLE.names if name in described},
            "row": row,
            "qa_offset": qa_offset,
            "qa_bytes": qa_bytes,
            "tokens_offset": tokens_offset,
            "tokens_bytes": tokens_bytes,
            "num_keyframes": keyframes,
            # A keyframe stands with all its tokens, any other frame with its merged one.
            "num_visual_tokens": keyframes * tokens_a_keyframe + video["num_frames"] - keyframes,
        }
    return sha256


def _published(pair: Row) -> Row:
    parsed = {"conversations": json.loads(pair["conversations"])}
    return {name: value for name, value in pair.items() if name != "video_id"} | parsed


def check_belong_together(video: Row, pairs: list[Row], selected: list[Row], tensors: Tensors) -> None:
    """Raises ValueError unless QA pairs, selection and tokens are of this video and, row by row, of one question."""
    where = f"video {video['name']!r} ({video['video_id']}): {video['distill_unit']}"
    if not pairs:
        raise ValueError(f"{where}: there are no QA pairs; leave the video out of the plan")
    if strange := {pair["video_id"] for pair in pairs} - {video["video_id"]}:
        raise ValueError(f"{video['write_qa_unit']} holds QA pairs of other videos: {sorted(strange)}")
    if [pair["qa_id"] for pair in pairs] != [row["qa_id"] for row in selected]:
        raise ValueError(f"{where}: {video['select_unit']} is not row by row of the QA pairs")
    for name in QUERY_TENSORS:
        if len(tensors[name]) != len(pairs):
            raise ValueError(f"{where}: {name} has {len(tensors[name])} rows for {len(pairs)} QA pairs")
    num_frames = len(tensors["time_s"])
    if tensors["merged_tokens"].shape[1] != num_frames or any(len(tensors[n]) != num_frames for n in SHARED_TENSORS):
        raise ValueError(f"{where}: merged_tokens, time_s and sample_index differ in their number of frames")
    for axis in ("time_s", "sample_index", "keyframes"):
        if (np.diff(tensors[axis]) <= 0).any():
            raise ValueError(f"{where}: {axis} is not ascending")
    for row, query_keyframes in zip(selected, tensors["query_keyframes"], strict=True):
        found = tensors["keyframes"][query_keyframes[query_keyframes >= 0]]
        if found.tolist() != row["keyframes"]:
            raise ValueError(
                f"{where}: {row['qa_id']} has keyframes {found.tolist()}, selected were {row['keyframes']}"
            )


def stands(unit: Row, store: Store) -> bool:
    """Whether the shard was written for this very unit and has its size: another plan may have written over it."""
    if shard_key(store, unit["shard"]) != unit["unit_path"]:
        return False
    sizes = store.read_table(unit["unit_path"], ["shard_bytes"])["shard_bytes"]
    return store.size(unit["shard"]) == sizes[0].as_py()


def stage(config: PackConfig) -> Stage:
    """The declaration."""
    return Stage(
        name="pack",
        version=2,
        reads=PACK_UNIT,
        writes=SAMPLE,
        run=run,
        config=config,
        passes="path",
        kind="shard",
        stands=stands,
    )
