"""Threads for small work: torch's own hand out pieces of microseconds, which costs more than it saves."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import torch

Part = TypeVar("Part")


@contextmanager
def one_thread() -> Iterator[int]:
    """Within, torch uses one CPU thread in the whole process; yields how many it had.

    Only for results that no number of threads changes.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


def over_threads(work: Callable[[Part], object], parts: Sequence[Part], threads: int) -> None:
    """Does parts of work side by side, each on one of `threads` threads. Gradients are off within."""
    if min(threads, len(parts)) < 2:
        for part in parts:
            work(part)
        return
    # Torch keeps a number of threads, and whether gradients are on, for each thread.
    with ThreadPoolExecutor(min(threads, len(parts)), initializer=partial(torch.set_num_threads, 1)) as pool:
        list(pool.map(torch.no_grad()(work), parts))
