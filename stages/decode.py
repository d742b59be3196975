"""Segment -> frames: JPEGs at the sampling rate, each with its true time."""

from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.stage import Stage
from schemas.tables import FRAME, SEGMENT, VIDEO
from workers.decode_plan import Segment
from workers.frame_decoder import sample_frames
from workers.picture import encode_jpeg
from workers.storage import Store

_ROWS = 64  # a yield: some MB of JPEG
_PLAN = tuple(Segment.__dataclass_fields__)


class DecodeConfig(StageConfig):
    """Config of the decode stage."""

    short_side: int = Field(384, ge=16, le=4320)
    """Pixels of the shorter side of a frame; smaller videos keep their size."""
    jpeg_quality: int = Field(90, ge=1, le=100)
    """Of libjpeg."""
    backend: Literal["auto", "pyav", "decord", "torchcodec"] = "auto"
    """Decoder; `auto` takes the best measured one."""
    threads: int = Field(1, ge=1, le=64)
    """Threads of a decoder. Set `resources.cpus` alike; many segments at once use cores better than many threads."""
    resources: Resources = Resources(cpus=1.0, memory_mb=1024)  # one decoder thread; 4K streams need the memory
    """Where and how wide it runs."""


def run(unit: dict, config: DecodeConfig, store: Store) -> Iterator[pa.Table]:
    """Tables of FRAME rows, in the order of time. Raises Reject `undecodable` where nothing of the segment decodes."""
    segment = Segment(**{name: unit[name] for name in _PLAN})
    rows: list[dict] = []
    with store.local(unit["media"]) as path:
        for picture in sample_frames(
            path, segment, short_side=config.short_side, backend=config.backend, threads=config.threads
        ):
            rows.append(
                {
                    "video_id": unit["video_id"],
                    "segment_id": unit["segment_id"],
                    "sample_index": picture.sample_index,
                    "time_s": picture.time_s,
                    "width": picture.rgb.shape[1],
                    "height": picture.rgb.shape[0],
                    "jpeg": encode_jpeg(picture.rgb, config.jpeg_quality),
                }
            )
            if len(rows) == _ROWS:
                yield pa.Table.from_pylist(rows, schema=FRAME)
                rows.clear()
    if rows:
        yield pa.Table.from_pylist(rows, schema=FRAME)


def stage(config: DecodeConfig) -> Stage:
    """The declaration."""
    reads = pa.schema([VIDEO.field("sha256"), VIDEO.field("media"), *SEGMENT])
    return Stage(
        name="decode",
        reads=reads,
        writes=FRAME,
        run=run,
        config=config,
        passes="path",
        located_by=("media",),
        kind="segment",
    )
