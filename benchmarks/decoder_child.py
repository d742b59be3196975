"""What the supervised child costs: pictures and their JPEGs of whole files, in this process and in the child.

    python -m benchmarks.decoder_child [FILE ...]

Without files: the long real videos beside the checkout. In CPU seconds of both processes, the best of rounds that take
turns; the median of several pairs of new processes, since where the pages of one lie makes up to 3% for as long as it
lives. To the child's is added its share of starting it, which happens once in `max_calls` files.
"""

import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median

import psutil

from benchmarks._measure import at_most, cpu_seconds, in_new_process
from benchmarks.ingest import SHORT_SIDE, VIDEOS, plan
from stages.decode import DecodeConfig
from workers.decode_plan import Segment
from workers.frame_decoder import sample_frames
from workers.media_process import MediaProcess, probe_apart
from workers.picture import encode_jpeg

PAIRS, ROUNDS, SECONDS = 5, 3, 8.0  # a pair: rounds at least, and time for more
CONFIG = DecodeConfig(short_side=SHORT_SIDE)


def here(path: Path, segments: list[Segment]) -> int:
    pictures = (p for segment in segments for p in sample_frames(path, segment, short_side=SHORT_SIDE))
    return sum(len(encode_jpeg(picture.rgb, CONFIG.jpeg_quality)) for picture in pictures)


def apart(path: Path, segments: list[Segment], process: MediaProcess) -> int:
    options = {"short_side": SHORT_SIDE, "jpeg_quality": CONFIG.jpeg_quality}
    calls = (process.call("sample", path=str(path), segment=vars(segment), **options) for segment in segments)
    return sum(len(jpeg) for call in calls for _, jpeg in call)


def overhead(path: Path, segments: list[Segment]) -> float:
    """Of a new child of this new process, as a share."""
    with closing(MediaProcess(CONFIG.limits)) as process:
        before = cpu_seconds()
        probe_apart(process, path)
        (child,) = (p.pid for p in psutil.Process().children() if "workers.media_child" in p.cmdline())
        start = cpu_seconds([child]) - before
        seconds = {here: float("inf"), apart: float("inf")}
        rounds, end = 0, time.monotonic() + SECONDS
        while rounds < ROUNDS or time.monotonic() < end:
            rounds += 1
            for loop, more in ((here, ()), (apart, (process,))):
                begun = cpu_seconds([child])
                loop(path, segments, *more)
                seconds[loop] = min(seconds[loop], cpu_seconds([child]) - begun)
    return (seconds[apart] + start * len(segments) / CONFIG.limits.max_calls) / seconds[here] - 1


def main(paths: list[Path]) -> None:
    for path in paths:
        segments = plan(path)
        share = median(in_new_process(overhead, path, segments) for _ in range(PAIRS))
        at_most(f"{path.name}: decoding in a child, more than in this process", 100 * share, "%", 3)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(p for p in VIDEOS.glob("*") if p.suffix in (".mp4", ".mkv")))
