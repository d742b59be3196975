"""Per-host rate limiter: bounds the concurrent downloads of a node from each host and honours requested pauses."""

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
from workers.storage.store import Store

# Upper bound of a pause: a faulty server may ask for a century.
_LONGEST_PAUSE_S = 7 * 24 * 3600.0


class HostLimiter:
    """Limits requests to a host over all processes of a node. A slot is a file lock, so a dead process releases it."""

    def __init__(self, slots: int, max_pause_s: float, folder: Path | None = None) -> None:
        """Creates a limiter.

        Args:
            slots: maximum number of concurrent downloads per host.
            max_pause_s: longest pause that is waited for, in seconds.
            folder: folder shared by the processes that are limited together; default: a scratch folder of the node.
        """
        self._slots, self._max_pause_s = slots, max_pause_s
        self._folder = folder or scratch_folder("hosts")

    @contextmanager
    def slot(self, host: str) -> Iterator[float]:
        """Waits for a slot and for the end of the host's pause; yields the seconds spent waiting.

        Raises:
            Reject: `unreachable` if the pause lasts longer than `max_pause_s`; the host is not contacted.
        """
        asked = time.monotonic()
        name = _file_name(host)
        file = self._acquire(name)
        try:
            while (left_s := self._pause_end(name) - time.time()) > 0:
                if left_s > self._max_pause_s:
                    raise Reject(
                        "unreachable",
                        f"{host} asked for a pause of another {left_s:.0f} s, above download.max_retry_after_s; "
                        "run `longvid retry` afterwards",
                    )
                time.sleep(min(left_s, 5.0))
            yield time.monotonic() - asked
        finally:
            file.close()

    def pause(self, host: str, seconds: float) -> None:
        """Stops all requests to the host for some seconds, at most seven days."""
        name = _file_name(host)
        end = time.time() + min(seconds, _LONGEST_PAUSE_S)
        if end > self._pause_end(name):
            # Other processes read it at any time: a part of a number would be another one.
            Store(self._folder).write_bytes(f"{name}.pause", f"{end:.3f}".encode())

    def _acquire(self, name: str) -> IO[str]:
        while True:
            for number in range(self._slots):
                file = (self._folder / f"{name}.{number}").open("w")
                with suppress(BlockingIOError):
                    lock(file, wait=False)
                    return file
                file.close()
            # Random delays spread the waiting processes over the slots.
            time.sleep(random.uniform(0.05, 0.3))

    def _pause_end(self, name: str) -> float:
        try:
            return float((self._folder / f"{name}.pause").read_text())
        except (FileNotFoundError, ValueError):
            return 0.0


def _file_name(host: str) -> str:
    return hashlib.sha256(host.lower().encode()).hexdigest()[:24]
