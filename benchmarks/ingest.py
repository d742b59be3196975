"""Ingest: CPU time of sampling against bare decoders, and the whole build against the sum of its parts.

    python -m benchmarks.ingest [--long-gops] [FILE ...]

Without files: the long real videos beside the checkout. Both: a frame per second, 384 pixels. `--long-gops`: only the
decoders, on three files of 21 minutes that are made of the second of them, with key frames every 5 and 10 s.

All are given what is known before decoding: ours its segments, the others the times and the size. The index that ours
reads of each segment is part of its time. The others give the frame shown at the start of each second, as their users
ask for it, and so does "longvid, exact", with which their frames are compared before they count; "longvid" is the
default, which chooses the phase and may take a frame up to a quarter of a second earlier or later. All on one thread,
in CPU seconds, so that what else runs on the machine doesn't show; the best of rounds that take turns.
"""

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _bare_decoders
from benchmarks._long_gops import long_gops
from benchmarks._measure import at_least, at_most, cpu_seconds, report
from benchmarks._peer_environments import Unmeasured, torchcodec_variables
from benchmarks._whole_build import STAGES, parts_seconds, whole_seconds
from schemas.rejects import Reject
from stages.shard import ShardConfig
from workers.media.decode_plan import Segment
from workers.media.frame_decoder import sample_frames
from workers.media.probe import probe, sample_grid
from workers.media.sample_grid import SampleGrid

VIDEOS = Path(__file__).resolve().parents[1].parent / "shared" / "videos" / "long"
SHORT_SIDE = 384
ROUNDS = 3
COPIES = 16  # of each file in the build: eight hours of video, so that starting Ray's workers is little of it
OURS = ("longvid", "longvid, exact")
UNUSABLE = (ImportError, OSError, RuntimeError, ValueError, Reject)


@dataclass(frozen=True)
class Measured:
    """What one file took."""

    frames: int
    """Of the file."""
    decoded: int
    """Of them, for the samples of the default."""
    ours_s: float
    """CPU seconds of the default."""
    fastest_s: float
    """CPU seconds of the fastest bare decoder."""


def grid(path: Path, **config: Any) -> SampleGrid:
    facts = probe(path)
    config = ShardConfig(fps=1.0, min_frames=1, **config)
    return sample_grid(path, config.sampling(facts.first_frame_s, facts.duration_s))


def plan(path: Path) -> list[Segment]:
    return grid(path).segments


def ours(path: Path, segments: list[Segment]) -> Iterator[np.ndarray]:
    for segment in segments:
        for frame in sample_frames(path, segment, short_side=SHORT_SIDE):
            yield frame.rgb


def difference(theirs: Iterator[np.ndarray], ours: Iterator[np.ndarray]) -> float:
    """Mean difference of two decoders' frames, of 255; scalers differ by about 1, another frame by 5 and more."""
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(theirs, ours, strict=True)]))


def seconds(loop: Callable[[], Iterator[np.ndarray]]) -> float:
    start = cpu_seconds()
    for _ in loop():
        pass
    return cpu_seconds() - start


def decoders(path: Path) -> Measured:
    """Reports what one file takes."""
    default, exact = grid(path), grid(path, phase="start", tolerance=0.0).segments
    height, width = next(ours(path, exact)).shape[:2]
    times = [float(time_s) for segment in exact for time_s in segment.sample_times()]
    loops: dict[str, Callable] = {
        name: partial(ours, path, planned) for name, planned in zip(OURS, (default.segments, exact), strict=True)
    }
    for name, bare in _bare_decoders.LOOPS.items():
        loop = partial(bare, path, times, width, height)
        try:
            differs = difference(loop(), ours(path, exact))
        except UNUSABLE as error:
            report(f"{path.name}: {name}", None, "CPU s", None, None, why=f"{type(error).__name__}: {error}"[:100])
            continue
        if differs < 2:
            loops[name] = loop
        else:
            report(f"{path.name}: {name}", None, "CPU s", None, None, why=f"other frames, by {differs:.1f} of 255")
    rounds = [{name: seconds(loop) for name, loop in loops.items()} for _ in range(ROUNDS)]
    best = {name: min(r[name] for r in rounds) for name in loops}
    for name, value in best.items():
        report(f"{path.name}: {name}", value, "CPU s", None, None)
    fastest = min(value for name, value in best.items() if name not in OURS)
    at_least(f"{path.name}: longvid against the fastest bare decoder", fastest / best["longvid"], "ratio", 1.0)
    report(f"{path.name}: longvid, exact, against it", fastest / best["longvid, exact"], "ratio", None, None)
    frames, decoded = probe(path).frame_count, sum(default.frames_to_decode)
    report(f"{path.name}: frames decoded", 100 * decoded / frames, "%", None, None, phase=default.phase)
    return Measured(frames, decoded, best["longvid"], fastest)


def whole_build(paths: list[Path]) -> None:
    rounds: dict[Callable, list[dict[str, float]]] = {parts_seconds: [], whole_seconds: []}
    for _ in range(ROUNDS):
        for measure, results in rounds.items():
            with tempfile.TemporaryDirectory() as corpus:
                results.append(measure(paths, COPIES, SHORT_SIDE, corpus))
    parts = min(rounds[parts_seconds], key=lambda seconds: sum(seconds.values()))
    whole = min(rounds[whole_seconds], key=lambda seconds: seconds["build"])
    for name in STAGES:
        report(f"{name} alone, on 2 cores", parts[name], "s", None, None)
    report("imports and start of Ray", whole["start"], "s", None, None)
    report("the whole build, without them", whole["build"], "s", None, None)
    at_most("the whole build / sum of its parts", whole["build"] / sum(parts.values()), "ratio", 1.15)


def with_torchcodec() -> None:
    """Starts this script again where torchcodec can be imported, if it can be had."""
    if find_spec("torchcodec") is None:
        try:
            variables = torchcodec_variables()
        except Unmeasured as reason:
            report("torchcodec", None, "CPU s", None, None, why=str(reason))
            return
        command = [sys.executable, "-m", "benchmarks.ingest", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **variables})


def all_decoders(paths: list[Path]) -> list[Measured]:
    """Reports each file, and what all of them take together."""
    files = [decoders(path) for path in paths]
    mean = math.exp(sum(math.log(file.fastest_s / file.ours_s) for file in files) / len(files))
    at_least("longvid against the fastest bare decoder of each file, geometric mean", mean, "ratio", 1.3)
    total = sum(file.fastest_s for file in files) / sum(file.ours_s for file in files)
    at_least("longvid against the fastest bare decoder of each file, total", total, "ratio", 1.8)
    return files


def main(paths: list[Path]) -> None:
    files = all_decoders(paths)
    share = sum(file.decoded for file in files) / sum(file.frames for file in files)
    at_most("frames decoded, of all frames", 100 * share, "%", 36)
    whole_build(paths)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long-gops", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    with_torchcodec()
    chosen = given.files or sorted(path for path in VIDEOS.glob("*") if path.suffix in (".mp4", ".mkv"))
    if given.long_gops:
        with tempfile.TemporaryDirectory() as temporary:
            all_decoders(long_gops(chosen[min(1, len(chosen) - 1)], Path(temporary)))
    else:
        main(chosen)
