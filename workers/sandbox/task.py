"""What modules that declare tasks for the sandbox need, and what both of its sides know. Standard library only."""

import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

Message = tuple[dict[str, Any], bytes]
Task = Callable[..., Iterator[Message]]

# Messages travel in batches, since waking the caller for each costs more than the copy: the two lengths, the headers of
# all messages (JSON lists of kind, value and length of the payload, parted by commas), and all payloads.
LENGTHS = struct.Struct("<II")
BATCH_BYTES = 1 << 18  # more only where one message has more
_MOST_PARTS = 1024  # that one writev takes (IOV_MAX)
MAX_HEADER_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = 256 << 20
_FLUSH_S = 1.0


class Kind:
    """What a message is about."""

    MESSAGE = "message"  # value: a dict, for the caller
    ALIVE = "alive"
    LAYERS = "layers"
    REJECT = "reject"  # value: reason and detail
    MEMORY = "memory"
    ERROR = "error"  # value: a traceback
    END = "end"


REQUEST = b"r"  # comes with two descriptors: of the request (JSON: task, arguments, memory, gpu), and of the file

# Commands to the server process: one byte, and the id of a process or 0.
COMMAND = struct.Struct("<ci")
REPLY = struct.Struct("<i")
FORK, STATUS, KILL = b"f", b"s", b"k"
RUNNING = 1 << 16  # in place of an exit code


def read_all(file: int) -> bytes:
    """All bytes of the file that a task was given."""
    with os.fdopen(os.dup(file), "rb") as stream:
        stream.seek(0)
        return stream.read()


class Channel:
    """The task's side of the connection to its caller."""

    def __init__(self, out: int) -> None:
        self._out, self._flushed = out, 0.0
        self._headers: list[str] = []
        self._payloads: list[bytes] = []
        self._size = 0

    def send(self, kind: str, value: Any = None, payload: bytes = b"") -> None:
        """Sends a message. Raises ValueError if the value or the payload is too long."""
        header = json.dumps([kind, value, len(payload)])
        if len(header) > MAX_HEADER_BYTES or len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(
                f"a message of {len(header)} and {len(payload)} bytes, above {MAX_HEADER_BYTES} and "
                f"{MAX_PAYLOAD_BYTES}: send several"
            )
        size = len(header) + 1 + len(payload)
        if self._headers and self._size + size > BATCH_BYTES:
            self.flush()
        self._headers.append(header)
        self._payloads.append(payload)
        self._size += size
        # The caller sees once a second that work goes on.
        if kind == Kind.END or time.monotonic() - self._flushed > _FLUSH_S:
            self.flush()

    def begin(self) -> None:
        """A task begins: its first message goes at once."""
        self._flushed = 0.0

    def flush(self) -> None:
        """Sends what was kept back."""
        header, payloads = ",".join(self._headers).encode(), self._payloads
        self._headers, self._payloads, self._size = [], [], 0
        if header:
            self._write([LENGTHS.pack(len(header), sum(map(len, payloads))) + header, *payloads])
        self._flushed = time.monotonic()

    def _write(self, parts: list[bytes]) -> None:
        """Sends all bytes, which nothing copies on the way to the kernel: pictures are most of them."""
        for start in range(0, len(parts), _MOST_PARTS):
            some = parts[start : start + _MOST_PARTS]
            sent = os.writev(self._out, some)
            if sent < sum(map(len, some)):  # a signal came
                rest = memoryview(b"".join(some))[sent:]
                while rest:
                    rest = rest[os.write(self._out, rest) :]

    def heartbeat(self) -> None:
        """Tells the caller once a second that the task is at work, where it has no message to give."""
        if time.monotonic() - self._flushed > _FLUSH_S:
            self.send(Kind.ALIVE)


_channel: Channel | None = None


def connect(out: int) -> Channel:
    """Makes a descriptor the connection of this process to its caller."""
    global _channel
    _channel = Channel(out)
    return _channel


def heartbeat() -> None:
    """Called by a task in long work without messages: the limits on stalling start anew. Cheap."""
    if _channel is not None:
        _channel.heartbeat()
