"""A file on its way here: what there is of it, what it is a part of, and what it may take."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from schemas.rejects import Reject

_WINDOW_S = 30.0


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """What one fetch may take."""

    max_bytes: int
    max_seconds: float
    attempts: int = 6
    backoff_s: float = 1.0
    """First wait between attempts; doubles, with jitter, up to a minute. A server's Retry-After goes before it."""
    max_retry_after_s: float = 300.0
    """A server that asks for a longer pause is given up."""
    timeout_s: float = 30.0
    """To connect, and between two packets."""
    min_bytes_per_s: int = 1024
    """Over 30 s; a slower source is given up."""
    per_host: int = 4
    """Fetches from one host at once, of all processes on a node."""
    allow_private_addresses: bool = False
    any_content_type: bool = False
    """Take what is said to be no media, too."""
    user_agent: str = "longvid"


class Again(Exception):
    """This attempt failed; another may not."""

    def __init__(self, reason: str, detail: str, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.wait_s = reason, detail, wait_s


class PartialFile:
    """The part of a file that is here, and which file it is a part of."""

    def __init__(self, folder: Path, limits: FetchLimits) -> None:
        self.data, self._state, self._limits = folder / "data", folder / "state.json", limits
        self._deadline = float("inf")

    def start(self, waited_s: float) -> None:
        """Sets the clock going, or on: waiting for a turn is no fault of the source."""
        if self._deadline == float("inf"):
            self._deadline = time.monotonic() + self._limits.max_seconds
        else:
            self._deadline += waited_s
        self.check_time()

    def left_s(self) -> float:
        return self._deadline - time.monotonic()

    def check_time(self) -> None:
        if self.left_s() < 0:
            raise Reject("incomplete", f"{self.size()} bytes in download.max_seconds = {self._limits.max_seconds:g}")

    def size(self) -> int:
        return self.data.stat().st_size if self.data.exists() else 0

    def state(self) -> dict:
        """What `data` is a part of: `validator` and such, and `complete` once it is whole."""
        try:
            return json.loads(self._state.read_bytes())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def restart(self, **state: str | int | None) -> None:
        self.data.write_bytes(b"")
        self.note(**state)

    def note(self, **state: str | int | None) -> None:
        temporary = self._state.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self._state)

    def append(self, blocks: Iterator[bytes], expected: int | None) -> None:
        """Raises Again where fewer bytes come than expected; Reject `too_large` or `incomplete` (a crawl)."""
        size = self.size()
        window_start, window_bytes = time.monotonic(), 0
        with self.data.open("ab") as file:
            for block in blocks:
                size += len(block)
                if size > self._limits.max_bytes:
                    raise Reject("too_large", f"more than download.max_bytes = {self._limits.max_bytes}")
                if expected is not None and size > expected:
                    raise Reject("incomplete", f"the source sends more than the {expected} bytes it promised")
                file.write(block)
                window_bytes += len(block)
                self.check_time()
                now = time.monotonic()
                if now - window_start > _WINDOW_S:
                    if window_bytes < self._limits.min_bytes_per_s * (now - window_start):
                        raise Reject("incomplete", f"slower than {self._limits.min_bytes_per_s} bytes a second")
                    window_start, window_bytes = now, 0
        self.check_time()  # cut for its time, a body of unknown length looks whole
        if expected is not None and size < expected:
            raise Again("incomplete", f"{size} of {expected} bytes arrived")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One fetch of a file at a time on a node; the lock goes with its process, whatever becomes of that."""
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _lies_at(path, file):
                continue  # the one before removed it while this one waited for it
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _lies_at(path: Path, file: IO[str]) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False
