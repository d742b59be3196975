"""Blocking of near-duplicates: time and memory at 100,000 videos, and recall of planted copies against all pairs.

Videos are drawn shot by shot: directions in the space of descriptors, some of them (logos, title cards) common to many.
A copy's shots are those of its original with noise and a part trimmed off. Keys are made as find_shots makes them.

python -m benchmarks.duplicates [--videos 100000]
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks._measure import at_least, at_most, extra_megabytes, report
from pipeline.inputs.recipe import load_recipe
from pipeline.tables.candidates import candidates
from pipeline.tables.workspace import Workspace
from workers.shots.near_duplicates import bottom_k, piece_keys

WIDTH = 64
SHOTS = 60
SMALL = 2_000
COPIED = 0.02
SIMILARITY = 0.9  # cosine of a copy's shot with its original's, about that of a re-encoded or cropped copy
COMMON = 50
INGEST = pa.schema([("video_id", pa.string()), ("sha256", pa.string()), ("reject", pa.string())])
KEYS = pa.schema([("video_id", pa.string()), ("keys", pa.list_(pa.int64()))])
RECIPE = load_recipe("longvid")
CONFIG, SHOT_CONFIG = RECIPE.find_duplicates, RECIPE.find_shots


def video(number: int, of: int) -> np.ndarray:
    """float32 [shots, WIDTH]: video `number`; a copy where it is one of the last of `of`."""
    copies = int(of * COPIED)
    source = number - (of - copies) if number >= of - copies else number
    rng = np.random.default_rng([7, source])
    shots = rng.normal(size=(SHOTS, WIDTH))
    logos = np.random.default_rng(3).normal(size=(COMMON, WIDTH))
    shots[:: SHOTS // 3] = logos[rng.integers(COMMON, size=len(shots[:: SHOTS // 3]))]
    if source != number:
        noise = np.random.default_rng([8, number]).normal(size=shots.shape)
        shots = (SIMILARITY * shots + np.sqrt(1 - SIMILARITY**2) * noise)[SHOTS // 5 :]
    return (shots / np.linalg.norm(shots, axis=1, keepdims=True)).astype(np.float32)


def name(number: int) -> str:
    return f"v{number:07d}"


def keys(shots: np.ndarray) -> np.ndarray:
    bits, tables = SHOT_CONFIG.key_bits, SHOT_CONFIG.key_tables
    made = piece_keys(shots, np.arange(len(shots)), still=SHOT_CONFIG.key_motion, bits=bits, tables=tables)
    return np.unique(made[bottom_k(made, SHOT_CONFIG.max_keys)])


def key_tables(videos: int) -> Iterator[pa.Table]:
    for first in range(0, videos, 1000):
        numbers = range(first, min(videos, first + 1000))
        rows = [{"video_id": name(number), "keys": keys(video(number, videos))} for number in numbers]
        yield pa.Table.from_pylist(rows, KEYS)


def fill(work: Workspace, videos: int) -> None:
    files = [{"video_id": name(n), "sha256": name(n), "reject": None} for n in range(videos)]
    work.put("ingest", [pa.Table.from_pylist(files, INGEST)], INGEST)
    work.put("shots", key_tables(videos), KEYS)


@dataclass(frozen=True)
class Blocking:
    """Sent to a process of its own: called, it fills a workspace and gives what is measured."""

    videos: int

    def __call__(self) -> Callable[[], int]:
        work = Workspace().__enter__()
        fill(work, self.videos)
        return lambda: sum(table.num_rows for table in candidates(work, CONFIG))


def copies_by_all_pairs(videos: int) -> set[tuple[str, str]]:
    """Pairs of which some shots are as good as the same, by looking at all pairs of shots."""
    looks = [video(number, videos) for number in range(videos)]
    stacked = np.concatenate(looks)
    owner = np.repeat(np.arange(videos), [len(shots) for shots in looks])
    found = set()
    for number, shots in enumerate(looks):
        similar = (stacked[: np.searchsorted(owner, number)] @ shots.T).max(axis=1, initial=0) > 0.75
        of = np.bincount(owner[: len(similar)][similar], minlength=1)
        found |= {(name(number), name(int(other))) for other in np.flatnonzero(of > SHOTS // 3)}
    return found


def timed(videos: int) -> tuple[float, set[tuple[str, str]]]:
    """Seconds of blocking, and the candidates."""
    with Workspace() as work:
        fill(work, videos)
        start = time.perf_counter()
        found = {tuple(row.values()) for table in candidates(work, CONFIG) for row in table.to_pylist()}
        return time.perf_counter() - start, found


def planted(videos: int) -> set[tuple[str, str]]:
    copies = int(videos * COPIED)
    return {(name(videos - copies + i), name(i)) for i in range(copies)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=100_000)
    large = parser.parse_args().videos
    start = time.perf_counter()
    truth = copies_by_all_pairs(SMALL)
    all_pairs_s = time.perf_counter() - start
    small_s, found = timed(SMALL)
    at_least(f"blocking, {SMALL} videos, recall against all pairs", len(found & truth) / len(truth), "share", 0.95)
    at_least(f"blocking, {SMALL} videos, against all pairs, time", all_pairs_s / small_s, "x", 1)
    large_s, found = timed(large)
    truth, growth = planted(large), large / SMALL
    at_least(f"blocking, {large} videos, planted copies found", len(found & truth) / len(truth), "share", 0.95)
    report(f"candidates per video, {large} videos", len(found) / large, "videos", None, None)
    at_most(
        f"blocking, growth of time from {SMALL} to {large} videos",
        large_s / small_s / growth,
        "of linear",
        4,
        seconds=round(large_s, 1),
    )
    memory = extra_megabytes(Blocking(large))
    if memory is not None:
        at_most(f"blocking, {large} videos, memory", memory / 1024, "of the workspace's 1 GB", 1.5)


if __name__ == "__main__":
    main()
