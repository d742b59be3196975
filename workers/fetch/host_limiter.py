"""Limits how many fetches of a node ask one host at once, and keeps the pauses that hosts ask for."""

import hashlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from schemas.rejects import Reject
from workers.storage.file_lock import lock
from workers.storage.scratch import scratch_folder

# A server's wish that lasts longer is forgotten: a broken one may ask for a century.
_LONGEST_PAUSE_S = 7 * 24 * 3600.0


class HostLimiter:
    """Slots are locks on files, which the system takes back from a process that dies."""

    def __init__(self, slots: int, max_pause_s: float, folder: Path | None = None) -> None:
        """Args:
        slots: fetches from one host at once.
        max_pause_s: longest pause that is waited for.
        folder: shared by the processes that count together; by default one of the node's.
        """
        self._slots, self._max_pause_s = slots, max_pause_s
        self._folder = folder or scratch_folder("hosts")

    @contextmanager
    def slot(self, host: str) -> Iterator[float]:
        """Waits for a slot, and for the end of the host's pause; yields the seconds that took.

        Raises Reject: `unreachable` where the pause lasts longer than `max_pause_s`: the host is not asked.
        """
        asked = time.monotonic()
        name = _file_name(host)
        file = self._acquire(name)
        try:
            while (left_s := self._pause_end(name) - time.time()) > 0:
                if left_s > self._max_pause_s:
                    raise Reject(
                        "unreachable",
                        f"{host} asked to be left alone for {left_s:.0f} s more; download.max_retry_after_s says how "
                        "long is waited, `longvid retry` asks it again",
                    )
                time.sleep(min(left_s, 5.0))
            yield time.monotonic() - asked
        finally:
            file.close()

    def pause(self, host: str, seconds: float) -> None:
        """Lets nobody ask the host for some seconds."""
        name = _file_name(host)
        end = time.time() + min(seconds, _LONGEST_PAUSE_S)
        if end > self._pause_end(name):
            (self._folder / f"{name}.pause").write_text(f"{end:.3f}")

    def _acquire(self, name: str) -> IO[str]:
        while True:
            for number in range(self._slots):
                file = (self._folder / f"{name}.{number}").open("w")
                with suppress(BlockingIOError):
                    lock(file, wait=False)
                    return file
                file.close()
            # Waiters that wake at different times find different slots.
            time.sleep(random.uniform(0.05, 0.3))

    def _pause_end(self, name: str) -> float:
        try:
            return float((self._folder / f"{name}.pause").read_text())
        except (FileNotFoundError, ValueError):
            return 0.0


def _file_name(host: str) -> str:
    return hashlib.sha256(host.lower().encode()).hexdigest()[:24]
