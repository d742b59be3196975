"""Video -> segments: work units of a few minutes that start on a key frame of the stream.

Sampling is by duration (VideoChat-Flash, section 3): `T = min(T_max, max(D * fps, T_min))` samples at the centres of T
equal intervals. Where T is D * fps the interval is exactly 1 / fps. A key frame's segment holds the samples from its
own time to that of the next segment's, so the picture shown at a sample is always one of the segment's.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables import SEGMENT, VIDEO
from workers.media.probe import EntryPoints
from workers.media.sandboxed import MediaLimits, entry_points_in_sandbox
from workers.storage.local_media import local_media
from workers.storage.store import Store


class ShardConfig(StageConfig):
    """Config of the shard stage."""

    segment_s: float = Field(300.0, gt=0)
    """Seconds a segment lasts at least: it ends on the first key frame after them. The last one takes what is left."""
    fps: float = Field(1.0, gt=0, le=1000)
    """Samples a second."""
    min_frames: int = Field(64, ge=1)
    """Samples of a short video: it is sampled faster. T_min of the paper."""
    max_frames: int = Field(10_000, ge=1)
    """Samples of a long video: it is sampled slower. T_max of the paper (512 there)."""
    tolerance: float = Field(0.25, ge=0, lt=0.5)
    """Share of the time between two samples by which a frame may be taken earlier or later where that spares decoding:
    a key frame, or one that others need anyway. Its true time is recorded; cuts, which lie between two frames, are told
    as much less exactly. 0: always the frame shown at the sample."""
    min_duration_s: float = Field(0.0, ge=0)
    """Shorter videos are rejected."""
    max_duration_s: float = Field(0.0, ge=0)
    """Longer videos are rejected; 0: none."""
    limits: MediaLimits = MediaLimits()
    """Of the process that reads the file."""
    resources: Resources = Resources(cpus=0.25, workers=(1, 8))  # as download's: one task does both
    """Where and how wide it runs."""

    def semantic(self) -> dict[str, Any]:
        """Without what decides only whether a unit is rejected."""
        return self.model_dump(mode="json", exclude={"resources", "limits", "min_duration_s", "max_duration_s"})


def sampling(duration_s: float, config: ShardConfig) -> tuple[int, float]:
    """Number of samples and the seconds between them, for a video of `duration_s` seconds."""
    samples = min(config.max_frames, max(duration_s * config.fps, config.min_frames))
    period = 1 / config.fps if samples == duration_s * config.fps else duration_s / samples
    return max(1, math.ceil(samples - 0.5)), period


def run(unit: dict, config: ShardConfig, store: Store) -> Iterator[pa.Table]:
    """One table of SEGMENT rows."""
    duration_s = unit["duration_s"]
    if duration_s < config.min_duration_s:
        raise Reject("too_short", f"{duration_s:.2f} s, below shard.min_duration_s = {config.min_duration_s}")
    if config.max_duration_s and duration_s > config.max_duration_s:
        raise Reject("too_long", f"{duration_s:.2f} s, above shard.max_duration_s = {config.max_duration_s}")
    with local_media(store, unit) as path:
        entries = entry_points_in_sandbox(path, config.limits)
    rows = segments(unit["video_id"], unit["first_frame_s"], duration_s, entries, config)
    yield pa.Table.from_pylist(rows, schema=SEGMENT)


def segments(video_id: str, start_s: float, duration_s: float, entries: EntryPoints, config: ShardConfig) -> list[dict]:
    """SEGMENT rows of a video. Segments without a sample are left out."""
    samples, period = sampling(duration_s, config)
    origin = start_s + period / 2
    starts = _starts(entries.time_s, config.segment_s)
    # Sample i belongs to the last segment that starts at or before it.
    times = origin + np.arange(samples) * period
    owner = np.maximum(np.searchsorted(entries.time_s[starts], times + 1e-9, side="right") - 1, 0)
    ends = [*entries.time_s[starts[1:]], start_s + duration_s]
    rows = []
    for number, start in enumerate(starts):
        mine = np.flatnonzero(owner == number)
        if len(mine):
            rows.append(
                {
                    "video_id": video_id,
                    "segment_id": f"{video_id}-{number:05d}",
                    "segment_index": number,
                    "start_s": float(entries.time_s[start]),
                    "end_s": float(ends[number]),
                    "seek_pts": int(entries.pts[start]),
                    "first_sample": int(mine[0]),
                    "num_samples": len(mine),
                    "sample_origin_s": origin,
                    "sample_period_s": period,
                    "sample_tolerance_s": period * config.tolerance,
                }
            )
    return rows


def _starts(time_s: np.ndarray, segment_s: float) -> list[int]:
    """Positions of the key frames that segments start on."""
    starts = [0]
    while True:
        # A clock far enough out adds `segment_s` without moving: the next key frame then is later than it by more.
        following = max(int(np.searchsorted(time_s, time_s[starts[-1]] + segment_s)), starts[-1] + 1)
        if following >= len(time_s):
            return starts
        starts.append(following)


def stage(config: ShardConfig) -> Stage:
    """The declaration."""
    known = [VIDEO.field(name) for name in ("video_id", "sha256", "media", "first_frame_s", "duration_s")]
    reads = pa.schema([*known, ("location", pa.string())])
    return Stage(
        name="shard",
        version=5,
        reads=reads,
        writes=SEGMENT,
        run=run,
        config=config,
        emits="rows",
        cache_key_excludes=("media", "location"),
        kind="video",
    )
