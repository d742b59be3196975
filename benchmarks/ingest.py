"""Ingest: sampled frames a second against bare decoders, and the whole build against the sum of its parts.

    python -m benchmarks.ingest [FILE ...]

Without files: the long real videos beside the checkout. A frame a second, 384 pixels, in both.

All are given what is known before decoding: ours its segments, the others the times and the size. The index that ours
reads of each segment is part of its time. The others give the frame shown at each time, and so does "longvid, exact",
with which their pictures are compared before they count; "longvid" is the default, which may take a frame up to a
quarter of a second earlier or later. All on one thread, in CPU seconds, so that what else runs on the machine doesn't
show; the best of rounds that take turns.
"""

import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import _bare_decoders
from benchmarks._measure import at_least, at_most, cpu_seconds, report
from benchmarks._whole_build import STAGES, parts_seconds, whole_seconds
from schemas.rejects import Reject
from stages import shard
from workers.media.decode_plan import Segment
from workers.media.frame_decoder import sample_frames
from workers.media.probe import entry_points, probe

VIDEOS = Path(__file__).resolve().parents[1].parent / "shared" / "videos" / "long"
SHORT_SIDE = 384
ROUNDS = 3
UNIT = "sampled frames/CPU s"
COPIES = 16  # of each file in the build: eight hours of video, so that starting Ray's workers is little of it
OURS = ("longvid", "longvid, exact")
UNUSABLE = (ImportError, OSError, RuntimeError, ValueError, Reject)


def plan(path: Path) -> list[Segment]:
    facts = probe(path)
    config = shard.ShardConfig(fps=1.0, min_frames=1)
    rows = shard.segments("", facts.first_frame_s, facts.duration_s, entry_points(path), config)
    return [Segment(**{name: row[name] for name in Segment.__dataclass_fields__}) for row in rows]


def ours(path: Path, segments: list[Segment]) -> Iterator[np.ndarray]:
    for segment in segments:
        for picture in sample_frames(path, segment, short_side=SHORT_SIDE):
            yield picture.rgb


def unlikeness(theirs: Iterator[np.ndarray], our_pictures: Iterator[np.ndarray]) -> float:
    """Mean difference of two decoders' pictures, of 255; scalers differ by about 1, another frame by 5 and more."""
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(theirs, our_pictures, strict=True)]))


def rate(loop: Callable[[], Iterator[np.ndarray]]) -> float:
    start = cpu_seconds()
    count = sum(1 for _ in loop())
    return count / (cpu_seconds() - start)


def decoders(path: Path) -> float:
    """Reports one file's rates; gives ours against the fastest other."""
    segments = plan(path)
    exact = [replace(segment, sample_tolerance_s=0.0) for segment in segments]
    height, width = next(ours(path, exact)).shape[:2]
    times = [float(time_s) for segment in segments for time_s in segment.sample_times()]
    loops: dict[str, Callable] = {
        name: partial(ours, path, planned) for name, planned in zip(OURS, (segments, exact), strict=True)
    }
    for name, bare in _bare_decoders.LOOPS.items():
        loop = partial(bare, path, times, width, height)
        try:
            differs = unlikeness(loop(), ours(path, exact))
        except UNUSABLE as error:
            report(f"{path.name}: {name}", None, UNIT, None, None, why=f"{type(error).__name__}: {error}"[:100])
            continue
        if differs < 2:
            loops[name] = loop
        else:
            report(f"{path.name}: {name}", None, UNIT, None, None, why=f"other pictures, by {differs:.1f} of 255")
    rounds = [{name: rate(loop) for name, loop in loops.items()} for _ in range(ROUNDS)]
    best = {name: max(r[name] for r in rounds) for name in loops}
    for name, value in best.items():
        report(f"{path.name}: {name}", value, UNIT, None, None)
    fastest = max(value for name, value in best.items() if name not in OURS)
    at_least(f"{path.name}: longvid / fastest bare decoder", best["longvid"] / fastest, "ratio", 1.0)
    report(f"{path.name}: longvid, exact / fastest bare decoder", best["longvid, exact"] / fastest, "ratio", None, None)
    return best["longvid"] / fastest


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


def main(paths: list[Path]) -> None:
    ratios = [decoders(path) for path in paths]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    at_least("longvid / fastest bare decoder, geometric mean", mean, "ratio", 1.3)
    whole_build(paths)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(p for p in VIDEOS.glob("*") if p.suffix in (".mp4", ".mkv")))
