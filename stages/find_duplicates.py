"""find_duplicates: compares a video with the candidates of which it may be a copy. Video -> duplicates, 1:N.

Candidates are videos with common keys of shots (pipeline/tables/candidates.py); each is compared second by second by
workers/shots/near_duplicates.py. It detects copies that were re-encoded, scaled, graded, trimmed, letterboxed or
cropped by a seventh. It does not detect copies at another speed, mirrored or re-edited ones (there is one offset per
pair), and of videos shorter than `least_s` only identical files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.stage import Stage
from schemas.tables.media import DUPLICATE
from workers.shots.near_duplicates import Match, describe, each_second, match, motion
from workers.shots.thumbnails import GRID
from workers.storage.arrow_vectors import to_matrix
from workers.storage.store import Store

_DENSE_S = 0.6  # between two samples
_SHIFTS_S = (0.0, 0.25, 0.5, 0.75)
TEXTS = pa.list_(pa.string())
FILE = pa.struct(
    [("video_id", pa.string()), ("sha256", pa.string()), ("find_shots_unit", pa.string()), ("embed_units", TEXTS)]
)
READS = pa.schema([*FILE, ("others", pa.list_(FILE))])


class FindDuplicatesConfig(StageConfig):
    """Sets when a video counts as a copy, and which videos are compared."""

    not_content = ("min_common_keys", "max_bucket", "max_candidates")  # the candidates are inputs of a unit

    agreement: float = Field(0.5, gt=0, le=1)
    """Minimum correlation of the changes of two videos at one offset. Unrelated videos have below 0.15, another hour of
    the same camera up to 0.4, copies above 0.6."""
    still_agreement: float = Field(0.97, gt=0, le=1)
    """Minimum similarity of two static videos."""
    still: float = Field(0.01, ge=0, le=1)
    """A video with less motion (variance of its descriptors) is static."""
    covered: float = Field(0.5, gt=0, le=1)
    """Minimum share of the shorter video that must match."""
    window_s: int = Field(15, ge=1)
    """Window in seconds over which the match is evaluated locally to determine the covered share."""
    least_s: int = Field(10, ge=2)
    """Minimum duration in seconds; shorter videos contain too little to compare."""
    min_common_keys: int = Field(2, ge=1)
    """Minimum number of common keys of candidates."""
    max_bucket: int = Field(64, ge=2)
    """A key that more videos have, such as that of a logo, is ignored."""
    max_candidates: int = Field(8, ge=1)
    """Maximum number of candidates per video, those with the most common keys."""
    # Comparing two hours of video takes a second or two.
    resources: Resources = Resources(cpus=1, memory_mb=1000, workers=(1, 2))


@dataclass(frozen=True)
class Seconds:
    """Holds the descriptors of a video, one per second from `start_s` on."""

    start_s: float
    descriptors_ND: np.ndarray

    def __len__(self) -> int:
        return len(self.descriptors_ND)


def run(unit: dict[str, Any], config: FindDuplicatesConfig, store: Store) -> Iterator[pa.Table]:
    """Yields a row of DUPLICATE for each of `others` that the video is a copy of, in the order of `others`."""
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
        # Rounded to four digits, since the last bits of a Fourier transform depend on the machine.
        "similarity": round(found.agreement, 4),
        "covered": found.seconds / len(first),
        "covered_of_other": found.seconds / len(second),
        "offset_s": round(found.offset_s + second.start_s - first.start_s, 3),
    }


def read_seconds(video: dict[str, Any], store: Store) -> Seconds:
    """Reads the descriptors of a video with the columns `find_shots_unit` and `embed_units`, one per second."""
    return next(_read(video, store))


def read_shifts(video: dict[str, Any], store: Store) -> list[Seconds]:
    """Reads a video as `read_seconds` does and, where it is sampled about twice per second, from later starts as well.

    One of these lies near the samples of a copy, whatever their phase.
    """
    return list(_read(video, store))


def _read(video: dict[str, Any], store: Store) -> Iterator[Seconds]:
    return seconds_of(*frames_of(video, store))


def frames_of(video: dict[str, Any], store: Store) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Reads the N frames of a video with the columns `find_shots_unit` and `embed_units`.

    Returns their times, float64 [N], the end of the video, layouts, uint8 [N, GRID, GRID], and embeddings, float32
    [N, D].
    """
    shots = store.read_table(video["find_shots_unit"], ["end_s", "layouts"])
    if not shots.num_rows:
        return np.zeros(0), 0.0, np.zeros((0, GRID, GRID), np.uint8), np.zeros((0, 1), np.float32)
    frames = pa.concat_tables(store.read_table(path, ["time_s", "embedding"]) for path in video["embed_units"])
    layouts = np.frombuffer(b"".join(shots["layouts"].to_pylist()), np.uint8).reshape(-1, GRID, GRID)
    return frames["time_s"].to_numpy(), shots["end_s"][-1].as_py(), layouts, to_matrix(frames["embedding"])


def seconds_of(time_s: np.ndarray, end_s: float, layouts: np.ndarray, embeddings_ND: np.ndarray) -> Iterator[Seconds]:
    """Yields the descriptors of a video's frames, one per second, from one start or several; see `read_shifts`."""
    if not len(time_s):
        yield Seconds(0.0, np.zeros((0, 1), np.float32))
        return
    is_dense = len(time_s) > 1 and np.median(np.diff(time_s)) < _DENSE_S
    for shift_s in _SHIFTS_S if is_dense else _SHIFTS_S[:1]:
        at = each_second(time_s, end_s, shift_s)
        yield Seconds(float(time_s[0]) + shift_s, describe(layouts[at], embeddings_ND[at]))


def stage(config: FindDuplicatesConfig) -> Stage:
    """Declares the stage."""
    return Stage(name="find_duplicates", reads=READS, writes=DUPLICATE, run=run, config=config, emits="unit")
