"""`longvid doctor`: examines this machine (layers of the sandbox, decoders, cores, memory, GPU) and explains the
result.
"""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import psutil

from workers.sandbox.lockdown import FULL, LAYERS
from workers.sandbox.self_test import layers


class Finding(NamedTuple):
    """Holds one line of the report.

    Attributes:
        name: what was examined.
        found: whether it is available; None for a fact that is neither good nor bad.
        what: what was found, or what its absence means.
    """

    name: str
    found: bool | None
    what: str


def examine() -> Iterator[Finding]:
    """Examines this machine and yields one finding after the other. Starts a sandbox process; decodes nothing."""
    yield Finding("system", None, f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Finding("Python", None, platform.python_version())
    memory_gb = psutil.virtual_memory().total / 2**30
    yield Finding("cores", None, f"{os.cpu_count()} cores, {memory_gb:.0f} GB of memory")
    yield from _sandbox()
    yield _ffmpeg()
    yield _package("decord", "no wheel for this machine: nothing needs it, PyAV decodes everything")
    yield _package("torchcodec", "decoding on a GPU (decode.device: cuda) needs it: pip install -e '.[torchcodec]'")
    yield _gpu()


def _sandbox() -> Iterator[Finding]:
    there = layers()
    for name, holds_off in LAYERS.items():
        absent = f"missing: a decoder that is taken over is not held by it ({holds_off})"
        yield Finding(f"sandbox: {name}", name in there, holds_off if name in there else absent)
    full = there >= FULL
    without = f"missing {', '.join(sorted(FULL - there))}: decode no untrusted file with decord and its FFmpeg of 2020"
    yield Finding("sandbox: full", full, "environment, seccomp and Landlock hold a decoder" if full else without)


def _ffmpeg() -> Finding:
    import imageio_ffmpeg

    try:
        return Finding("ffmpeg", True, imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return Finding("ffmpeg", bool(shutil.which("ffmpeg")), "none: only the demo and some tests need it")


def _package(name: str, absent: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, absent)


def _gpu() -> Finding:
    import torch  # costs seconds to import

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return Finding("GPU", bool(names), ", ".join(names) or "none: set resources.gpus to 0 (the recipe demo has that)")


SHOWN: dict[bool | None, str] = {True: "yes", False: "no", None: ""}


def show(findings: Iterator[Finding], say: Callable[[str], None]) -> None:
    """Prints a line per finding."""
    for name, found, what in findings:
        say(f"{name:24} {SHOWN[found]:4} {what}")
