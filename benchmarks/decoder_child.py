"""What the supervised child costs: pictures and their JPEGs of whole files, in this process and in the child.

    python -m benchmarks.decoder_child [FILE ...]

Without files: the long real videos beside the checkout. In CPU seconds of both processes, the best of rounds that take
turns; to the child's is added its share of starting it, which happens once in `max_calls` files.
"""

import sys
from pathlib import Path

import psutil

from benchmarks._measure import at_most, cpu_seconds
from benchmarks.ingest import SHORT_SIDE, VIDEOS, plan
from stages.decode import DecodeConfig
from workers.decode_plan import Segment
from workers.frame_decoder import sample_frames
from workers.media_process import MediaProcess, probe_apart
from workers.picture import encode_jpeg

ROUNDS = 15
CONFIG = DecodeConfig(short_side=SHORT_SIDE)


def here(path: Path, segments: list[Segment]) -> int:
    pictures = (p for segment in segments for p in sample_frames(path, segment, short_side=SHORT_SIDE))
    return sum(len(encode_jpeg(picture.rgb, CONFIG.jpeg_quality)) for picture in pictures)


def apart(path: Path, segments: list[Segment], process: MediaProcess) -> int:
    options = {"short_side": SHORT_SIDE, "jpeg_quality": CONFIG.jpeg_quality}
    calls = (process.call("sample", path=str(path), segment=vars(segment), **options) for segment in segments)
    return sum(len(jpeg) for call in calls for _, jpeg in call)


def main(paths: list[Path]) -> None:
    process = MediaProcess(CONFIG.limits)
    before = cpu_seconds()
    probe_apart(process, paths[0])
    (child,) = (p.pid for p in psutil.Process().children() if "workers.media_child" in p.cmdline())
    start = cpu_seconds([child]) - before
    for path in paths:
        segments, seconds = plan(path), {here: float("inf"), apart: float("inf")}
        for _ in range(ROUNDS):
            for loop, more in ((here, ()), (apart, (process,))):
                begun = cpu_seconds([child])
                loop(path, segments, *more)
                seconds[loop] = min(seconds[loop], cpu_seconds([child]) - begun)
        overhead = (seconds[apart] + start * len(segments) / CONFIG.limits.max_calls) / seconds[here] - 1
        at_most(f"{path.name}: decoding in a child, more than in this process", 100 * overhead, "%", 3)
    process.close()


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(p for p in VIDEOS.glob("*") if p.suffix in (".mp4", ".mkv")))
