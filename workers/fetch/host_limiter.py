"""How many fetches ask one host at once, and how long all of them wait when it asks for a pause: on a whole node."""

import fcntl
import hashlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workers.node_folder import node_folder


class HostGate:
    """Slots are locks on files, which the system takes back from a process that dies."""

    def __init__(self, slots: int, folder: Path | None = None) -> None:
        """
        Args:
            slots: fetches from one host at once.
            folder: shared by the processes that count together; by default one of the node's.
        """
        self._slots = slots
        self._folder = folder or node_folder("hosts")

    @contextmanager
    def slot(self, host: str) -> Iterator[float]:
        """Waits for a slot, and for the end of the host's pause; yields the seconds that took."""
        asked = time.monotonic()
        name = hashlib.sha256(host.lower().encode()).hexdigest()[:24]
        file = self._acquire(name)
        try:
            while (left_s := self._pause_end(name) - time.time()) > 0:
                time.sleep(min(left_s, 5.0))
            yield time.monotonic() - asked
        finally:
            file.close()

    def pause(self, host: str, seconds: float) -> None:
        """Lets nobody ask the host for some seconds."""
        name = hashlib.sha256(host.lower().encode()).hexdigest()[:24]
        end = time.time() + seconds
        if end > self._pause_end(name):
            (self._folder / f"{name}.pause").write_text(f"{end:.3f}")

    def _acquire(self, name: str):
        while True:
            for number in range(self._slots):
                file = (self._folder / f"{name}.{number}").open("w")
                with suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return file
                file.close()
            # Waiters that wake at different times find different slots.
            time.sleep(random.uniform(0.05, 0.3))

    def _pause_end(self, name: str) -> float:
        try:
            return float((self._folder / f"{name}.pause").read_text())
        except (FileNotFoundError, ValueError):
            return 0.0
