"""Times, peaks and the JSON lines of the benchmarks. Standard library and torch only."""

import gc
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

from benchmarks._memory import status


def report(figure: str, value: float | None, unit: str, bar: str | None, ok: bool | None, **more: Any) -> None:
    """One JSON line; `ok` is null where nothing was measured or nothing is asked for."""
    rounded = None if value is None else float(f"{value:.4g}")
    print(json.dumps({"figure": figure, "value": rounded, "unit": unit, "bar": bar, "ok": ok, **more}), flush=True)


def at_least(figure: str, value: float, unit: str, bar: float, **more: Any) -> None:
    report(figure, value, unit, f">= {bar:g}", bool(value >= bar), **more)


def at_most(figure: str, value: float, unit: str, bar: float, **more: Any) -> None:
    report(figure, value, unit, f"<= {bar:g}", bool(value <= bar), **more)


def against(figure: str, value: float, unit: str, bar: float | None = None, side: str = "least") -> None:
    """Reports a figure against a bar that it must reach ("least") or must not pass ("most"), or against none."""
    if bar is None:
        report(figure, value, unit, None, None)
    else:
        (at_most if side == "most" else at_least)(figure, value, unit, bar)


def seconds(run: Callable[[], Any], repeats: int = 3, *, warm: bool = True) -> float:
    """The best of several runs: what the code takes when nothing else has the machine."""
    if warm:
        run()
    best = float("inf")
    for _ in range(repeats):
        _wait()
        start = time.perf_counter()
        run()
        _wait()
        best = min(best, time.perf_counter() - start)
    return best


def rivals(
    ours: Callable[[], Any], theirs: Callable[[], Any], *, rounds: int = 3, ours_per_round: int = 3
) -> tuple[float, float]:
    """Seconds of both, best of rounds that take turns, so that a busy machine slows both."""
    ours(), theirs()
    times = [(seconds(ours, ours_per_round, warm=False), seconds(theirs, 1, warm=False)) for _ in range(rounds)]
    return min(t for t, _ in times), min(t for _, t in times)


def seconds_in_turns(*runs: Callable[[], Any], rounds: int = 3) -> list[float]:
    """Best time of each, taken in turns: what else the machine does then hits all of them."""
    times = [[seconds(run, 1, warm=False) for run in runs] for _ in range(rounds)]
    return [min(each) for each in zip(*times, strict=True)]


def cpu_seconds(children: Sequence[int] = ()) -> float:
    """CPU time of this process, of its children that have ended, and of these living ones: by Linux' clocks of other
    processes, to the nanosecond, whatever else the machine does.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = sum(time.clock_gettime((~pid << 3) | 2) for pid in children)  # as clock_getcpuclockid(3) makes it
    return time.process_time() + ended.ru_utime + ended.ru_stime + living


def in_new_process(measure: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of a module gives in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def extra_megabytes(prepare: Callable[[], Callable[[], Any]]) -> float | None:
    """Peak of resident memory in what `prepare` returns, beyond what was resident before; None without Linux's /proc.

    In a process of its own, where no memory freed earlier waits to be used again; the least of three, since
    with several threads a run now and then shows 140 MB more than the others, for reasons of the allocator.
    """
    peaks = [in_new_process(_extra, prepare, torch.get_num_threads()) for _ in range(3)]
    return None if None in peaks else min(peaks)


def _extra(prepare: Callable[[], Callable[[], Any]], threads: int) -> float | None:
    torch.set_num_threads(threads)
    run = prepare()
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return None
    gc.collect()
    try:
        clear.write_text("5")  # sets the peak back to what is resident now
    except OSError:
        return None
    before = status("self", "VmRSS")
    run()
    return (status("self", "VmHWM") - before) / 1024


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
