"""group: divides a video's QA pairs and tokens into the groups that pack writes, and computes their sizes. 1:1.

Videos that cannot be written to a shard are rejected here, since pack writes many videos into one file. The sizes let
shards be planned exactly.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
from pydantic import Field

from schemas.config import ConfigError, Resources, StageConfig
from schemas.licences import share_alike
from schemas.rejects import Reject
from schemas.rows import GroupingRow, GroupRow, Row
from schemas.stage import Stage
from schemas.tables import FORMAT_VERSION
from schemas.tables.media import VIDEO
from schemas.tables.qa import QA
from schemas.tables.shards import GROUPING
from stages.group_checks import check_belong_together, check_order
from workers.shards.layout import (
    CLIP_TENSORS,
    Shapes,
    clips_metadata,
    frame_shapes,
    part_shapes,
    tokens_metadata,
)
from workers.shards.token_unit import read_index
from workers.shards.windows import cut_parts, on_own_clock
from workers.shards.writer import encode_json, tar_bytes
from workers.storage.safetensors_file import encoded_bytes
from workers.storage.store import Store

# Facts of a video in the `.json` member; no paths, so that a corpus may be moved.
NAMED = ("video_id", "name", "licence", "source", "duration_s")
FACTS = ("sha256", "codec", "width", "height", "average_fps", "frame_count", "first_frame_s", "flags")
UNITS = ("write_qa_unit", "select_unit", "distill_unit")
READS = pa.schema(
    [*(VIDEO.field(name) for name in (*NAMED, "split", *FACTS)), *((name, pa.string()) for name in UNITS)]
)

QA_COLUMNS = [name for name in QA.names if name not in ("select_queries", "merge_query")]
_SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


class GroupConfig(StageConfig):
    """Sets how samples are split and grouped; these fields are part of the recipe's `pack`."""

    # Copies and hashes: one core keeps a disk busy.
    resources: Resources = Resources(cpus=1.0, workers=(1, 4))
    group_bytes: int = Field(1 << 26, ge=1 << 10)
    """Maximum size of a group in bytes, unless it is a single pair. Videos with more QA pairs and tokens are split into
    several groups. A reader holds one group in memory per interleaved video."""
    val_fraction: float = Field(0.05, ge=0, lt=1)
    """Share of the videos without a split in the manifest that go to `val`; the others go to `train`."""
    split_seed: int = Field(0, ge=0)
    """Seed of the assignment of videos to `val`."""


def split_of(video: Row, config: GroupConfig) -> str:
    """Returns the split of a video: that of the manifest, else one that depends on the hash of its content.

    Identical files therefore get the same split.

    Raises:
        ConfigError: the split is not usable as the name of a folder.
    """
    if video["split"]:
        if not _SPLIT.fullmatch(video["split"]):
            raise ConfigError(
                f"split = {video['split']!r} of video {video['name']!r}: use at most 32 letters, digits, '_' and '-', "
                "such as train, val or test"
            )
        return str(video["split"])
    content = video["sha256"] or video["video_id"]
    chance = int(hashlib.sha256(f"{config.split_seed}:{content}".encode()).hexdigest()[:13], 16) / 16**13
    return "val" if chance < config.val_fraction else "train"


def run(unit: Row, config: GroupConfig, store: Store) -> Iterator[pa.Table]:
    """Yields one row of GROUPING.

    Raises:
        Reject: `unpackable` if the QA pairs are no JSON or the frames are not in order.
        ValueError: the units belong to different videos, so tokens and questions would not match.
    """
    pairs = store.read_table(unit["write_qa_unit"], QA_COLUMNS).to_pylist()
    selected = store.read_table(unit["select_unit"], ["qa_id", "keyframes"]).to_pylist()
    shapes, tensors = read_index(store, unit["distill_unit"])
    check_belong_together(unit, pairs, selected, shapes, tensors)
    check_order(tensors)
    facts = {name: unit[name] for name in (*NAMED, *FACTS)} | {"split": split_of(unit, config)}
    facts |= {"format_version": FORMAT_VERSION}
    published = [_encoded(partial(publish, pair, unit["licence"]), f"QA pair {pair['qa_id']}") for pair in pairs]
    windows = [pair["sample_window"] for pair in pairs]
    parts = cut_parts(windows, [len(text) for text in published], shapes, tensors, config.group_bytes)
    groups: list[GroupRow] = []
    packed_bytes = 0
    for number, part in enumerate(parts):
        rows, frames, window = part.rows, part.frames, part.window
        sample_key = unit["video_id"] + (f"-{number:05d}" if len(parts) > 1 else "")
        num_qa, num_frames = rows.stop - rows.start, frames.stop - frames.start
        own = {"sample_key": sample_key, "part": number, "num_parts": len(parts), "num_qa": num_qa}
        own |= {"num_frames": num_frames, "sample_window": window}
        if window:
            own["duration_s"] = window["end_s"] - window["start_s"]
        text = _encoded(partial(dict, facts, **own), "facts of the video")
        groups.append(
            GroupRow(
                sample_key=sample_key,
                first_row=rows.start,
                num_rows=num_qa,
                first_frame=frames.start,
                num_frames=num_frames,
                origin_s=window["start_s"] if window else 0.0,
                facts=text.decode(),
            )
        )
        # A list of JSON values is as long as these, each with its line end for a comma, in brackets and a line end.
        packed_bytes += tar_bytes(len(text)) + tar_bytes(sum(map(len, published[rows])) + 2)
        own_shapes = part_shapes(frame_shapes(shapes, num_frames), tensors["query_keyframes"], rows)
        packed_bytes += _tensors_bytes(shapes, own_shapes, first=not number)
    row = GroupingRow(video_id=unit["video_id"], split=facts["split"], packed_bytes=packed_bytes, groups=groups)
    yield pa.Table.from_pylist([row], GROUPING)


def publish(pair: Row, licence: str | None) -> Row:
    """Returns a QA pair in the form of `.qa.json`; `licence` is that of its video.

    Raises ValueError if its conversations are not JSON.
    """
    parsed = {"conversations": json.loads(pair["conversations"]), "share_alike": share_alike_of(pair, licence)}
    return {name: value for name, value in on_own_clock(pair).items() if name != "video_id"} | parsed


def share_alike_of(pair: Row, licence: str | None) -> list[str]:
    """Returns the column SHARE_ALIKE of a pair, from the licences of its video and its annotations."""
    return list(share_alike((licence, *(made["licence"] for made in pair["annotations"] or ()))))


def _encoded(make: Callable[[], Any], what: str) -> bytes:
    try:
        return encode_json(make())
    except (ValueError, RecursionError) as error:
        raise Reject("unpackable", f"{what}: cannot be written as JSON: {str(error)[:200]}") from None


def _tensors_bytes(shapes: Shapes, part: Shapes, first: bool) -> int:
    size = tar_bytes(encoded_bytes(part, tokens_metadata("0" * 64)))
    clips = {name: shapes[name] for name in CLIP_TENSORS if first and name in shapes}
    return size + (tar_bytes(encoded_bytes(clips, clips_metadata())) if clips else 0)


def stage(config: GroupConfig) -> Stage:
    """Declares the stage. `config` may be that of pack, which has these fields and more."""
    own = GroupConfig(**{name: getattr(config, name) for name in GroupConfig.model_fields})
    return Stage(
        name="group",
        section="pack",
        version=3,
        reads=READS,
        writes=GROUPING,
        run=run,
        config=own,
        emits="rows",
        kind="video",
    )
