"""What the sandbox costs: frames and their JPEGs of whole files, in this process and in sandboxed ones.

    python -m benchmarks.decoder_sandbox [FILE ...]

Without files: the long real videos beside the checkout. In CPU seconds of all processes, summed over rounds that take
turns. Both sides have the same environment, since the allocator's settings alone make some percent. Each round reads
the other of two copies of the file: processes are started and ended as in a build in which each video comes once, and
this is counted. The figure is the median of several pairs of new processes, since where the pages of one lie makes up
to 3% for as long as it lives. The server that forks processes is started once per worker: a figure of its own.
"""

import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

import psutil

from benchmarks._measure import at_most, cpu_seconds, in_new_process, report
from benchmarks.ingest import SHORT_SIDE, VIDEOS, plan
from stages.decode import DecodeConfig
from workers.media.decode_plan import Segment
from workers.media.frame_decoder import sample_frames
from workers.media.render import encode_jpeg
from workers.media.sandboxed import probe_in_sandbox, sample_in_sandbox
from workers.sandbox.self_test import layers
from workers.sandbox.server_process import ENVIRONMENT

PAIRS, CPU_S = 3, 11.0  # of each side, and more than two times what a process may use before another takes its place
CONFIG = DecodeConfig(short_side=SHORT_SIDE)


def here(path: Path, segments: list[Segment]) -> int:
    frames = (f for segment in segments for f in sample_frames(path, segment, short_side=SHORT_SIDE))
    return sum(len(encode_jpeg(frame.rgb, CONFIG.jpeg_quality)) for frame in frames)


def in_sandbox(path: Path, segments: list[Segment]) -> int:
    options = {"short_side": SHORT_SIDE, "jpeg_quality": CONFIG.jpeg_quality}
    duration_s = segments[-1].end_s
    calls = (sample_in_sandbox(path, s, CONFIG.limits, duration_s=duration_s, **options) for s in segments)
    return sum(len(jpeg) for call in calls for _, jpeg in call)


def costs(path: Path, segments: list[Segment]) -> tuple[float, float, float]:
    """In this new process: CPU seconds of one pass over the file here and in the sandbox, and of the server's start."""
    before = cpu_seconds()
    probe_in_sandbox(path, CONFIG.limits)
    (server,) = psutil.Process().children()
    start = _cpu_seconds(server) - before
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(shutil.copy(path, Path(folder, f"{number}{path.suffix}"))) for number in range(2)]
        here(copies[0], segments)  # modules are imported late
        seconds = dict.fromkeys((here, in_sandbox), 0.0)
        passes = 0
        for copy in itertools.cycle(copies):
            passes += 1
            for loop in seconds:
                begun = _cpu_seconds(server)
                loop(copy, segments)
                seconds[loop] += _cpu_seconds(server) - begun
            if seconds[here] > CPU_S:
                break
    return seconds[here] / passes, seconds[in_sandbox] / passes, start


def _cpu_seconds(server: psutil.Process) -> float:
    """Of this process, of the server, and of all that it forked, living or ended."""
    ended = server.cpu_times()
    living = [process.pid for process in (server, *server.children())]
    return cpu_seconds(living) + ended.children_user + ended.children_system


def videos() -> list[Path]:
    """The long real videos beside the checkout."""
    return sorted(path for path in VIDEOS.glob("*") if path.suffix in (".mp4", ".mkv"))


def main(paths: list[Path]) -> None:
    in_force = sorted(layers())
    os.environ |= {name: value for name, value in ENVIRONMENT.items() if name.startswith("MALLOC_")}
    total, starts = [0.0, 0.0], []
    for path in paths:
        segments = plan(path)
        pairs = [in_new_process(costs, path, segments) for _ in range(PAIRS)]
        shares = sorted(100 * (sandbox_s / here_s - 1) for here_s, sandbox_s, _ in pairs)
        shown = {"pairs": [round(share, 1) for share in shares], "layers": in_force}
        at_most(f"{path.name}: decoding in the sandbox, more than in this process", median(shares), "%", 2, **shown)
        total = [seconds + median(pair[side] for pair in pairs) for side, seconds in enumerate(total)]
        starts += [start for *_, start in pairs]
    at_most("all files: decoding in the sandbox, more than in this process", 100 * (total[1] / total[0] - 1), "%", 2)
    report("starting a sandbox's server, once per worker", min(starts), "CPU s", None, None)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or videos())
