"""shard: divides a video into segments of a few minutes that start at a key frame. Video -> segments, 1:N.

The number of samples depends on the duration (VideoChat-Flash, section 3): `T = min(T_max, max(D * fps, T_min))`
samples, one in each of T equal intervals. If T is D * fps, an interval is exactly 1 / fps long. A segment contains the
samples from its key frame to that of the next segment, so the frame displayed at a sample is always in its segment.
"""

from collections.abc import Iterator
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, field_validator

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.rows import Row
from schemas.stage import Stage
from schemas.tables.media import SEGMENT, VIDEO
from workers.media.media_limits import MediaLimits
from workers.media.sample_grid import SampleGrid, Sampling
from workers.media.sandboxed import sample_grid_in_sandbox
from workers.storage.local_media import local_media
from workers.storage.store import Store


class ShardConfig(StageConfig):
    """Sets how shards are written."""

    segment_s: float = Field(300.0, gt=0)
    """Minimum duration of a segment in seconds; it ends at the first key frame after that. The last one may be
    shorter."""
    fps: float = Field(1.0, gt=0, le=1000)
    """Samples per second."""
    min_frames: int = Field(64, ge=1)
    """Minimum number of samples per video; short videos are sampled more densely. T_min of the paper."""
    max_frames: int = Field(10_000, ge=1)
    """Maximum number of samples per video; long videos are sampled less densely. T_max of the paper (512 there)."""
    tolerance: float = Field(0.25, ge=0, lt=0.5)
    """Maximum distance of a frame from its sample, as a share of the time between two samples, if that saves decoding:
    a key frame, or one that others need anyway. Its true time is recorded, but the times of cuts become less precise.
    0: always the frame displayed at the sample."""
    phase: Literal["auto", "centre", "start"] | float = "auto"
    """Position of a sample in its interval, 0 to below 1. `centre` (0.5): as VideoChat-Flash; `start` (0): as ViLaMP.
    `auto`: per video, the position for which the fewest frames have to be decoded, of equal ones the nearest to the
    centre. Most key frames lie at full seconds, so the centre is the most expensive position."""
    min_duration_s: float = Field(0.0, ge=0)
    """Shorter videos are rejected, in seconds."""
    max_duration_s: float = Field(0.0, ge=0)
    """Longer videos are rejected, in seconds; 0: no limit."""
    limits: MediaLimits = MediaLimits()
    """Limits of the process that reads the file."""
    resources: Resources = Resources(cpus=0.25, workers=(1, 8))  # as those of download: one Ray task runs both
    """Resources and number of workers of the stage."""

    @field_validator("phase", mode="before")
    @classmethod
    def _is_phase(cls, phase: Any) -> Any:
        is_share = isinstance(phase, int | float) and not isinstance(phase, bool) and 0 <= phase < 1
        if phase not in ("auto", "centre", "start") and not is_share:
            raise ValueError("must be auto, centre, start, or a share of the interval from 0 to below 1")
        return float(phase) if is_share else phase

    def sampling(self, start_s: float, duration_s: float) -> Sampling:
        """Returns the sampling of a video of `duration_s` seconds whose first frame is at `start_s`."""
        intervals = min(self.max_frames, max(duration_s * self.fps, self.min_frames))
        period_s = 1 / self.fps if intervals == duration_s * self.fps else duration_s / intervals
        return Sampling(
            start_s=start_s,
            duration_s=duration_s,
            intervals=intervals,
            period_s=period_s,
            tolerance_s=period_s * self.tolerance,
            phase=self.phase,
            segment_s=self.segment_s,
        )

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on; the bounds of the duration only if they are set."""
        unset = {name for name in ("min_duration_s", "max_duration_s") if not getattr(self, name)}
        return self.model_dump(mode="json", exclude={"resources", "limits", *unset})


def run(unit: Row, config: ShardConfig, store: Store) -> Iterator[pa.Table]:
    """Yields one table of SEGMENT rows.

    Raises:
        Reject: `too_short`, `too_long`; as `sample_grid_in_sandbox`.
    """
    duration_s = unit["duration_s"]
    if duration_s < config.min_duration_s:
        raise Reject("too_short", f"{duration_s:.2f} s, below shard.min_duration_s = {config.min_duration_s}")
    if config.max_duration_s and duration_s > config.max_duration_s:
        raise Reject("too_long", f"{duration_s:.2f} s, above shard.max_duration_s = {config.max_duration_s}")
    sampling = config.sampling(unit["first_frame_s"], duration_s)
    with local_media(store, unit) as path:
        grid = sample_grid_in_sandbox(path, sampling, config.limits)
    yield pa.Table.from_pylist(_rows(unit["video_id"], grid), schema=SEGMENT)


def _rows(video_id: str, grid: SampleGrid) -> list[Row]:
    return [
        {
            **vars(segment),
            "video_id": video_id,
            "segment_id": f"{video_id}-{segment.segment_index:05d}",
            "sample_phase": grid.phase,
            "frames_to_decode": frames,
        }
        for segment, frames in zip(grid.segments, grid.frames_to_decode, strict=True)
    ]


def stage(config: ShardConfig) -> Stage:
    """Declares the stage."""
    known = [VIDEO.field(name) for name in ("video_id", "sha256", "media", "first_frame_s", "duration_s")]
    reads = pa.schema([*known, ("location", pa.string())])
    return Stage(
        name="shard",
        version=8,
        reads=reads,
        writes=SEGMENT,
        run=run,
        config=config,
        emits="rows",
        cache_key_excludes=("media", "location"),
        kind="video",
    )
