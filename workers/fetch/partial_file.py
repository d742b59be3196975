"""A partially downloaded file: its data, and the file it belongs to."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypedDict, Unpack

from schemas.rejects import Reject
from workers.fetch.limits import FetchLimits
from workers.storage.file_lock import locked

_WINDOW_S = 30.0
_ROOM_EVERY_BYTES = 64 << 20


class State(TypedDict, total=False):
    """Identifies a file, by what its source told of it."""

    validator: str
    """ETag, date or generation."""
    total: int | None
    """Its size in bytes."""
    complete: bool
    """Whether all bytes are there."""


class RetryableError(Exception):
    """An attempt failed, but another may succeed.

    Args:
        reason: reason code of the reject if no attempt is left.
        detail: see `Reject`.
        at_once: whether the next attempt needs no wait.
        pause_s: pause requested by the host.
    """

    def __init__(self, reason: str, detail: str, at_once: bool = False, pause_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.at_once, self.pause_s = reason, detail, at_once, pause_s


class PartialFile:
    """Keeps a partially downloaded file in its own folder, with the state that identifies the complete file."""

    def __init__(self, folder: Path, limits: FetchLimits) -> None:
        self.data, self._state, self._limits = folder / "data", folder / "state.json", limits
        self._deadline = float("inf")

    def start(self, waited_s: float) -> None:
        """Starts the clock of the download, or extends its deadline by the time spent waiting for a slot."""
        if self._deadline == float("inf"):
            self._deadline = time.monotonic() + self._limits.max_seconds
        else:
            self._deadline += waited_s
        self.check_time()

    def left_s(self) -> float:
        """Returns the seconds until the deadline."""
        return self._deadline - time.monotonic()

    def check_time(self) -> None:
        """Raises Reject (`incomplete`) after the deadline."""
        if self.left_s() < 0:
            raise Reject(
                "incomplete", f"{self.size()} bytes within download.max_seconds = {self._limits.max_seconds:g}"
            )

    def size(self) -> int:
        """Returns the number of bytes received so far."""
        return self.data.stat().st_size if self.data.exists() else 0

    def state(self) -> State:
        """Returns what identifies the complete file, and `complete` once all bytes are there."""
        try:
            state: State = json.loads(self._state.read_bytes())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return state

    def version(self) -> State:
        """Returns what identifies this version of the file; empty if the source did not provide it."""
        state = self.state()
        return {"validator": state["validator"], "total": state["total"]} if state.get("total") else {}

    def restart(self, **state: Unpack[State]) -> None:
        """Discards the data and starts again with another state."""
        self.data.write_bytes(b"")
        self.note(**state)

    def note(self, **state: Unpack[State]) -> None:
        """Writes the state atomically."""
        temporary = self._state.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self._state)

    @contextmanager
    def appending(self, expected: int | None) -> Iterator[Callable[[bytes], None]]:
        """Yields a function that appends a block.

        Args:
            expected: size of the complete file, if known.

        Raises:
            RetryableError: fewer bytes than expected were received.
            Reject: `too_large`, or `incomplete` (more bytes than expected, or too slow).
        """
        with self.data.open("ab") as file:
            writer = _Writer(file, self, self._limits, expected)
            yield writer.write
        self.check_time()  # a body of unknown length that ends at the deadline looks complete
        if expected is not None and writer.size < expected:
            raise RetryableError("incomplete", f"{writer.size} of {expected} bytes arrived")


class _Writer:
    """Appends blocks to a partial file and enforces the limits."""

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
            raise Reject("incomplete", f"the source sends more than the {self._expected} bytes it announced")
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
    """Deletes partial files next to `folder` until all of them fit into `max_bytes`.

    The oldest are deleted first, and none that is in use.

    Raises:
        Reject: `too_large` if the files in use are larger than that.
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
        raise Reject("too_large", f"all partial files together exceed download.max_partial_bytes = {max_bytes}")
