"""A file that is being fetched: the part that is here, what it is a part of, and what the fetch may take."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from schemas.rejects import Reject
from workers.fetch.access import Access
from workers.storage.file_lock import locked

_WINDOW_S = 30.0
_ROOM_EVERY_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """What one fetch may take and reach."""

    max_bytes: int
    max_seconds: float
    max_partial_bytes: int = 1 << 40
    """Of all partial files beside this one and itself."""
    attempts: int = 6
    backoff_s: float = 1.0
    """First wait between attempts; doubles, with jitter, up to a minute. A server's Retry-After goes before it."""
    max_retry_after_s: float = 300.0
    """Longest pause that a server may ask for and be waited for."""
    timeout_s: float = 30.0
    """To connect, and between two packets."""
    max_header_s: float = 60.0
    """From the start of a connection to the end of the response's headers."""
    min_bytes_per_s: int = 1024
    """Over 30 s; a slower source is given up."""
    per_host: int = 4
    """Fetches from one host at once, of all processes on a node."""
    any_content_type: bool = False
    """Take what is said to be no media, too."""
    user_agent: str = "longvid"
    access: Access = field(default_factory=Access)


class RetryableError(Exception):
    """This attempt failed; another may not.

    Args:
        reason: a reason code for where no attempt is left.
        detail: as of `Reject`.
        at_once: the next attempt need not wait.
        pause_s: how long the host asks to be left alone.
    """

    def __init__(self, reason: str, detail: str, at_once: bool = False, pause_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.at_once, self.pause_s = reason, detail, at_once, pause_s


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

    def version(self) -> dict:
        """What tells this version of the file from others; empty where its source did not say."""
        state = self.state()
        return {name: state[name] for name in ("validator", "total")} if state.get("total") else {}

    def restart(self, **state: str | int | None) -> None:
        self.data.write_bytes(b"")
        self.note(**state)

    def note(self, **state: str | int | None) -> None:
        temporary = self._state.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self._state)

    @contextmanager
    def appending(self, expected: int | None) -> Iterator[Callable[[bytes], None]]:
        """A function that appends a block.

        Raises:
            RetryableError: fewer bytes came than expected.
            Reject: `too_large`, or `incomplete` (more than expected, or a crawl).
        """
        with self.data.open("ab") as file:
            writer = _Writer(file, self, self._limits, expected)
            yield writer.write
        self.check_time()  # cut for its time, a body of unknown length looks whole
        if expected is not None and writer.size < expected:
            raise RetryableError("incomplete", f"{writer.size} of {expected} bytes arrived")


class _Writer:
    """Appends blocks to a partial file for as long as its source keeps to the limits."""

    def __init__(self, file: IO[bytes], partial: PartialFile, limits: FetchLimits, expected: int | None) -> None:
        self.size = partial.size()
        self._file, self._partial, self._limits, self._expected = file, partial, limits, expected
        self._window_start, self._window_bytes = time.monotonic(), 0
        self._room_checked_at = -_ROOM_EVERY_BYTES

    def write(self, block: bytes) -> None:
        self.size += len(block)
        if self.size > self._limits.max_bytes:
            raise Reject("too_large", f"more than download.max_bytes = {self._limits.max_bytes}")
        if self._expected is not None and self.size > self._expected:
            raise Reject("incomplete", f"the source sends more than the {self._expected} bytes it promised")
        if self.size >= self._room_checked_at + _ROOM_EVERY_BYTES:
            make_room(self._partial.data.parent, self._limits.max_partial_bytes)
            self._room_checked_at = self.size
        self._file.write(block)
        self._partial.check_time()
        self._check_rate(len(block))

    def _check_rate(self, received: int) -> None:
        self._window_bytes += received
        elapsed_s = time.monotonic() - self._window_start
        if elapsed_s > _WINDOW_S:
            if self._window_bytes < self._limits.min_bytes_per_s * elapsed_s:
                raise Reject("incomplete", f"slower than {self._limits.min_bytes_per_s} bytes per second")
            self._window_start, self._window_bytes = time.monotonic(), 0


def make_room(folder: Path, max_bytes: int) -> None:
    """Holds all partial files beside `folder` to a size: those that nobody is at go first, the oldest before others.

    Raises Reject: `too_large` where those at work are larger than that.
    """
    sizes = {}
    for path in folder.parent.glob("*/data"):
        with suppress(FileNotFoundError):
            sizes[path.parent] = (path.stat().st_mtime_ns, path.stat().st_size)
    total = sum(size for _, size in sizes.values())
    for other in sorted(sizes, key=sizes.__getitem__):
        if total <= max_bytes:
            return
        if other != folder:
            with suppress(BlockingIOError), locked(other.with_suffix(".lock"), wait=False):
                shutil.rmtree(other, ignore_errors=True)
                total -= sizes[other][1]
    if total > max_bytes:
        raise Reject("too_large", f"all partial files together, above download.max_partial_bytes = {max_bytes}")
