"""Peaks of memory of processes, from Linux' /proc; imports little, so that it can be used in what is measured.

Not `ru_maxrss`, for which Linux hands down the peak of the parent to a program that it starts.
"""

from contextlib import suppress
from pathlib import Path

import psutil


def own_peak_mb() -> float:
    """Returns the largest peak of memory of this process since it runs its program."""
    return status("self", "VmHWM") / 1024


def family_peak_mb(pid: int) -> float:
    """Largest peak of memory among a process and those that it started, each since it runs its program; 0 if gone."""
    peaks = [0]
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(OSError, StopIteration):  # it has ended meanwhile
                peaks.append(status(each.pid, "VmHWM"))
    return max(peaks) / 1024


def status(pid: int | str, key: str) -> int:
    """Returns a value of a process in kB: `VmHWM`, the peak, or `VmRSS`, what is resident now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))
