"""find_duplicates: a video and the few it may be a copy of -> what it is a copy of.

Candidates come from common keys of shots (pipeline/tables/candidates.py); here each is compared in full, per second, by
workers/shots/near_duplicates.py. Found: copies that were encoded again, scaled, graded, trimmed, put between bars
or cropped by a seventh. Not found: copies at another speed, mirrored, or cut anew (only one offset is looked for),
and of videos shorter than `least_s` all but the same file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.stage import Stage
from schemas.tables import DUPLICATE
from workers.shots.near_duplicates import Match, describe, each_second, match, motion
from workers.shots.thumbnails import GRID
from workers.storage.arrow_vectors import to_matrix
from workers.storage.store import Store

TEXTS = pa.list_(pa.string())
FILE = pa.struct(
    [("video_id", pa.string()), ("sha256", pa.string()), ("find_shots_unit", pa.string()), ("embed_units", TEXTS)]
)
READS = pa.schema([*FILE, ("others", pa.list_(FILE))])


class FindDuplicatesConfig(StageConfig):
    """What a copy is, and which videos are compared."""

    agreement: float = Field(0.5, gt=0, le=1)
    """Correlation, at one offset, of what changes in two videos: unrelated ones have below 0.15, another hour of the
    same camera up to 0.4, copies above 0.6."""
    still_agreement: float = Field(0.97, gt=0, le=1)
    """Likeness of two videos in which nothing changes."""
    still: float = Field(0.01, ge=0, le=1)
    """Motion below which nothing changes: mean square of the descriptors about their mean."""
    covered: float = Field(0.5, gt=0, le=1)
    """Share of the shorter video that must agree."""
    window_s: int = Field(15, ge=1)
    """Seconds over which agreement is looked at, to say how much of a video is covered."""
    least_s: int = Field(10, ge=2)
    """Shorter videos are not compared: too little happens in them."""
    min_common_keys: int = Field(2, ge=1)
    """Videos with fewer keys in common are no candidates."""
    max_bucket: int = Field(64, ge=2)
    """A key that more videos have, such as that of a logo, says nothing."""
    max_candidates: int = Field(8, ge=1)
    """A video is compared with so many others, those with most common keys."""
    # An hour against an hour takes a second or two.
    resources: Resources = Resources(cpus=1, memory_mb=1000, workers=(1, 2))

    def semantic(self) -> dict[str, Any]:
        """Without what decides only who is compared: the candidates are in a unit's inputs."""
        return self.model_dump(mode="json", exclude={"resources", "min_common_keys", "max_bucket", "max_candidates"})


@dataclass(frozen=True)
class Seconds:
    """A video, second by second."""

    start_s: float
    descriptors_ND: np.ndarray

    def __len__(self) -> int:
        return len(self.descriptors_ND)


def run(unit: dict[str, Any], config: FindDuplicatesConfig, store: Store) -> Iterator[pa.Table]:
    """A row for each of `others` that the video is a copy of; in the order of `others`."""
    rows, mine = [], None
    for other in unit["others"]:
        row = {"video_id": unit["video_id"], "duplicate_of": other["video_id"]}
        if other["sha256"] == unit["sha256"]:
            whole = {"exact": True, "similarity": 1.0, "covered": 1.0, "covered_of_other": 1.0, "offset_s": 0.0}
            rows.append({**row, **whole})
            continue
        mine = mine or read_seconds(unit, store)
        found = _compare(mine, read_seconds(other, store), config)
        if found:
            rows.append({**row, "exact": False, **found})
    yield pa.Table.from_pylist(rows, DUPLICATE)


def _compare(first: Seconds, second: Seconds, config: FindDuplicatesConfig) -> dict[str, float] | None:
    shorter = min(len(first), len(second))
    if shorter < config.least_s:
        return None
    is_still = max(motion(first.descriptors_ND), motion(second.descriptors_ND)) < config.still
    agree = config.still_agreement if is_still else config.agreement
    least_s = max(config.least_s, round(config.covered * shorter))
    found: Match = match(
        first.descriptors_ND,
        second.descriptors_ND,
        centred=not is_still,
        least_s=least_s,
        window_s=config.window_s,
        agree=agree,
    )
    if found.agreement < agree or found.seconds < config.covered * shorter:
        return None
    return {
        # To four digits: the last bits of a Fourier transform are nobody's concern.
        "similarity": round(found.agreement, 4),
        "covered": found.seconds / len(first),
        "covered_of_other": found.seconds / len(second),
        "offset_s": round(found.offset_s + second.start_s - first.start_s, 3),
    }


def read_seconds(video: dict[str, Any], store: Store) -> Seconds:
    """A video of which `find_shots_unit` and `embed_units` are known, at each full second from its first frame."""
    shots = store.read_table(video["find_shots_unit"], ["end_s", "layouts"])
    if not shots.num_rows:
        return Seconds(0.0, np.zeros((0, 1), np.float32))
    frames = pa.concat_tables(store.read_table(path, ["time_s", "embedding"]) for path in video["embed_units"])
    layouts = np.frombuffer(b"".join(shots["layouts"].to_pylist()), np.uint8).reshape(-1, GRID, GRID)
    time_s = frames["time_s"].to_numpy()
    at = each_second(time_s, shots["end_s"][-1].as_py())
    return Seconds(float(time_s[0]), describe(layouts[at], to_matrix(frames["embedding"])[at]))


def stage(config: FindDuplicatesConfig) -> Stage:
    return Stage(name="find_duplicates", reads=READS, writes=DUPLICATE, run=run, config=config, emits="unit")
