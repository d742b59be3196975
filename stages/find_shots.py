"""find_shots: finds the cuts of a video, and shots that are black, frozen or slides. Video -> shots, 1:N.

A cut lies between two sampled frames. Its time is the middle between them, correct to half a sampling period and the
tolerance (`shard.tolerance`), and shots shorter than a period may be missed. A camera that turns completely within a
period looks like a cut. Dissolves longer than `transition_s` may be missed, since none of their steps is large.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.stage import Stage
from schemas.tables.media import SHOT
from workers.shots.cuts import CutRule, Steps, cut_sources, find_cuts
from workers.shots.near_duplicates import bottom_k, describe, piece_keys, pieces
from workers.shots.thumbnails import Thumbnails, layouts, read_thumbnails
from workers.storage.arrow_vectors import to_column, to_matrix
from workers.storage.store import Store

READS = pa.schema(
    [
        ("video_id", pa.string()),
        ("embed_units", pa.list_(pa.string())),
        ("decode_units", pa.list_(pa.string())),
        ("first_frame_s", pa.float64()),
        ("end_s", pa.float64()),
    ]
)


class FindShotsConfig(StageConfig):
    """Sets when a step between two frames is a cut, and when a shot is flagged."""

    pixel_change: float = Field(0.36, gt=0, le=1)
    """Minimum change of the thumbnails at a cut, 0 to 1 (see workers/shots/cuts.py). Motion causes about 0.1."""
    embedding_change: float = Field(0.3, gt=0, le=2)
    """Change of the embedding, 1 - cosine, that indicates a cut. Depends on the tower."""
    cache_key_names = {
        "embedding_assist_ratio": "leaning",
        "noise_window": "noise_steps",
        "static_ratio": "kept_share",
    }
    embedding_assist_ratio: float = Field(0.75, gt=0, le=1)
    """Share of `pixel_change` that suffices if the embedding indicates a cut as well."""
    noise_factor: float = Field(2.0, ge=0)
    """In noisy video, a cut must change this many times more than the quietest tenth of the steps around it."""
    noise_window: int = Field(20, ge=1, le=1000)
    """Number of steps before and after a step that are compared with it."""
    static_ratio: float = Field(0.35, ge=0, le=1)
    """If a larger share of the frame stays the same, as behind a title or caption, there is no cut."""
    transition_s: float = Field(3.0, ge=0)
    """Maximum duration of a dissolve, fade or flash, in seconds."""
    black_luma: float = Field(24.0, ge=0, le=255)
    """A frame is black if nine tenths of it are at most this bright, of 255."""
    black_s: float = Field(1.0, ge=0)
    """Minimum duration of black frames that form a separate shot, in seconds, even if the video fades in and out."""
    still_luma: float = Field(0.3, ge=0, le=255)
    """A step is static if the luma changes by at most this much from frame to frame, mean over the frame."""
    still_s: float = Field(5.0, ge=0)
    """Minimum duration in seconds of consecutive static shots that are flagged."""
    slide_share: float = Field(0.5, gt=0, le=1)
    """Minimum share of static steps of a static shot. `frozen`: all steps are static, and so is no neighbouring shot;
    `slides`: it changes now and then, or a neighbouring shot is static as well."""
    key_bits: int = Field(18, ge=4, le=40)
    """Bits per key. With more bits, fewer unrelated videos have common keys, but also fewer copies. 20 is suited to
    100,000 videos."""
    key_tables: int = Field(8, ge=1, le=64)
    """Keys per piece of a shot. With more keys, a copy is more likely to have a common one."""
    max_keys: int = Field(256, ge=1)
    """Maximum number of keys per video."""
    key_motion: float = Field(0.01, ge=0, le=1)
    """A video with less motion (see `near_duplicates.py`) gets keys of its appearance, others of their changes."""
    # Decodes JPEGs at an eighth of their size, a few thousand frames per second.
    resources: Resources = Resources(cpus=1, memory_mb=1000, workers=(1, 2))

    @property
    def rule(self) -> CutRule:
        """Returns the thresholds of cuts."""
        return CutRule(**{name: getattr(self, name) for name in CutRule.__dataclass_fields__})


def run(unit: dict[str, Any], config: FindShotsConfig, store: Store) -> Iterator[pa.Table]:
    """Yields one row of SHOT per shot, in the order of time; no table for a video without frames."""
    frames = read_thumbnails(store, unit["decode_units"])
    if not len(frames.time_s):
        return
    tables = [store.read_table(path, ["time_s", "embedding"]) for path in unit["embed_units"]]
    embedded = pa.concat_tables(table for table in tables if table.num_rows)
    if not np.array_equal(embedded["time_s"].to_numpy(), frames.time_s):
        raise ValueError(f"video {unit['video_id']}: its embeddings and its {len(frames.time_s)} frames differ in time")
    embeddings_ND = to_matrix(embedded["embedding"])
    yield _rows(unit, _Video(frames, embeddings_ND, config))


class _Video:
    """The frames of a video, the changes between them, and its shots."""

    def __init__(self, frames: Thumbnails, embeddings_ND: np.ndarray, config: FindShotsConfig) -> None:
        self.frames, self.embeddings_ND, self.config = frames, embeddings_ND, config
        self.steps = Steps(frames, embeddings_ND)
        self.black = np.quantile(frames.luma.reshape(len(frames.luma), -1), 0.9, axis=1) <= config.black_luma
        self.cuts = self._cuts()
        self.starts = np.concatenate([[0], self.cuts + 1])
        self.sizes = np.diff([*self.starts, len(frames.time_s)])
        self.layouts = layouts(frames.luma)

    def _cuts(self) -> np.ndarray:
        """Returns the cuts, and the start and end of black shots instead of the fades that lead there."""
        cuts, edges = find_cuts(self.steps, self.config.rule), self._black_edges()
        faded = {
            cut
            for cut in cuts.tolist()
            for edge in edges.tolist()
            if cut != edge and self.steps.is_transition(min(cut, edge), max(cut, edge) + 1)
        }
        return np.union1d([cut for cut in cuts.tolist() if cut not in faded], edges).astype(np.int64)

    def _black_edges(self) -> np.ndarray:
        """Returns the steps at the start and end of black shots."""
        edges = np.flatnonzero(np.diff(self.black))
        bounds = np.concatenate([[0], edges + 1, [len(self.black)]])
        time_s = self.frames.time_s
        lasting = [
            (start, end)
            for start, end in pairwise(bounds)
            if self.black[start] and time_s[end - 1] - time_s[start] >= self.config.black_s
        ]
        return np.intersect1d(edges, [edge - 1 for run in lasting for edge in run])

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Returns the mean of a value per frame over the frames of each shot."""
        return np.add.reduceat(values.astype(np.float64), self.starts) / self.sizes

    def keys(self) -> list[list[int]]:
        """Returns the keys of each shot's pieces; black shots have none, since they occur in every video."""
        config, starts = self.config, pieces(self.starts, self.frames.time_s)
        shot = np.searchsorted(self.starts, starts, side="right") - 1
        described = describe(self.layouts, self.embeddings_ND)
        keys = piece_keys(described, starts, still=config.key_motion, bits=config.key_bits, tables=config.key_tables)
        keys[self.mean(self.black)[shot] > 0.5] = -1
        kept = bottom_k(keys, config.max_keys)
        return [np.unique(keys[shot == i][kept[shot == i]]).tolist() for i in range(len(self.starts))]

    def still_share(self) -> np.ndarray:
        """Returns the share of static steps within each shot; 0 for a shot of one frame."""
        still = np.concatenate([[False], self.steps.luma <= self.config.still_luma])
        still[self.starts] = False
        return np.asarray(np.add.reduceat(still.astype(np.float64), self.starts) / np.maximum(self.sizes - 1, 1))


def _rows(unit: dict[str, Any], video: _Video) -> pa.Table:
    time_s, cuts, count = video.frames.time_s, video.cuts, len(video.starts)
    first_s, end_s = min(unit["first_frame_s"], time_s[0]), max(unit["end_s"], time_s[-1])
    edges_s = np.concatenate([[first_s], (time_s[cuts] + time_s[cuts + 1]) / 2, [end_s]])
    means = np.add.reduceat(video.embeddings_ND.astype(np.float64), video.starts)
    looks = {
        "luma": video.mean(video.frames.luma.mean(axis=(1, 2))),
        "black_share": video.mean(video.black),
        "still_share": video.still_share(),
    }
    columns = {
        "video_id": [unit["video_id"]] * count,
        "shot_index": range(count),
        "start_s": edges_s[:-1],
        "end_s": edges_s[1:],
        "first_frame": video.starts,
        "num_frames": video.sizes,
        "cut_by": [[], *cut_sources(video.steps, cuts, video.config.rule)],
        "pixel_change": [None, *video.steps.pixels[cuts]],
        "embedding_change": [None, *video.steps.embedding[cuts]],
        **looks,
        "keys": video.keys(),
        "layouts": [part.tobytes() for part in np.split(video.layouts, cuts + 1)],
        "flags": _flags(looks, np.diff(edges_s), video.config),
        "embedding": to_column((means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float16)),
    }
    return pa.table({name: pa.array(columns[name], SHOT.field(name).type) for name in SHOT.names}, SHOT)


def _flags(looks: dict[str, np.ndarray], seconds: np.ndarray, config: FindShotsConfig) -> list[list[str]]:
    """Returns at most one flag per shot: `black`, `slides` or `frozen`."""
    flags: list[list[str]] = [["black"] if share > 0.5 else [] for share in looks["black_share"]]
    still = (looks["black_share"] <= 0.5) & (looks["still_share"] >= config.slide_share)
    for is_still, group in groupby(range(len(still)), key=still.__getitem__):
        shots = list(group)
        if is_still and seconds[shots].sum() >= config.still_s:
            frozen = len(shots) == 1 and looks["still_share"][shots[0]] == 1
            for shot in shots:
                flags[shot] = ["frozen" if frozen else "slides"]
    return flags


def stage(config: FindShotsConfig) -> Stage:
    """Declares the stage."""
    return Stage(name="find_shots", reads=READS, writes=SHOT, run=run, config=config, emits="unit")
