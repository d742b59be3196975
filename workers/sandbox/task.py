"""The interface for modules that declare tasks, and the protocol of client and server. Standard library only.

Messages are framed here, not by `multiprocessing.connection.Connection`: that waits for the end of a message that has
begun, where the caller must enforce the limits of the process, and it allocates a buffer for each message.
"""

import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

Message = tuple[dict[str, Any], bytes]
Task = Callable[..., Iterator[Message]]

# Messages are sent in batches, since waking the caller costs more than a copy: two lengths, the headers of all messages
# (JSON lists of kind, value and length of the payload, separated by commas), and all payloads.
LENGTHS = struct.Struct("<II")
BATCH_BYTES = 1 << 18  # exceeded only by a single larger message
_MOST_PARTS = 1024  # that one writev takes (IOV_MAX)
MAX_HEADER_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = 256 << 20
_FLUSH_S = 1.0


class Kind:
    """Names the kinds of messages."""

    MESSAGE = "message"  # value: a dict, for the caller
    HEARTBEAT = "heartbeat"
    LAYERS = "layers"
    REJECT = "reject"  # value: reason and detail
    MEMORY = "memory"
    ERROR = "error"  # value: a traceback
    END = "end"


REQUEST = b"r"  # sent with two descriptors: of the request (JSON: task, arguments, memory, gpu) and of the file

# Commands to the server process: one byte, then the id of a process or 0.
COMMAND = struct.Struct("<ci")
REPLY = struct.Struct("<i")
FORK, STATUS, KILL = b"f", b"s", b"k"
RUNNING = 1 << 16  # instead of an exit code


def read_all(file: int) -> bytes:
    """Returns all bytes of the file of a task."""
    with os.fdopen(os.dup(file), "rb") as stream:
        stream.seek(0)
        return stream.read()


class Channel:
    """Connects a task to its caller."""

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
                f"{MAX_PAYLOAD_BYTES}: divide it"
            )
        size = len(header) + 1 + len(payload)
        if self._headers and self._size + size > BATCH_BYTES:
            self.flush()
        self._headers.append(header)
        self._payloads.append(payload)
        self._size += size
        # At least one batch per second, so that the caller sees progress.
        if kind == Kind.END or time.monotonic() - self._flushed > _FLUSH_S:
            self.flush()

    def begin(self) -> None:
        """Starts a task: its first message is sent immediately."""
        self._flushed = 0.0

    def flush(self) -> None:
        """Sends the messages that have been collected."""
        header, payloads = ",".join(self._headers).encode(), self._payloads
        self._headers, self._payloads, self._size = [], [], 0
        if header:
            self._write([LENGTHS.pack(len(header), sum(map(len, payloads))) + header, *payloads])
        self._flushed = time.monotonic()

    def _write(self, parts: list[bytes]) -> None:
        """Sends all bytes without copying them first, since most of them are frames."""
        for start in range(0, len(parts), _MOST_PARTS):
            some = parts[start : start + _MOST_PARTS]
            sent = os.writev(self._out, some)
            if sent < sum(map(len, some)):  # interrupted by a signal
                rest = memoryview(b"".join(some))[sent:]
                while rest:
                    rest = rest[os.write(self._out, rest) :]

    def heartbeat(self) -> None:
        """Sends a heartbeat to the caller, at most once per second."""
        if time.monotonic() - self._flushed > _FLUSH_S:
            self.send(Kind.HEARTBEAT)


_channel: Channel | None = None


def connect(out: int) -> Channel:
    """Sets the descriptor of the connection of this process to its caller."""
    global _channel
    _channel = Channel(out)
    return _channel


def heartbeat() -> None:
    """Restarts the limits on stalling; to be called often by a task that works long without messages."""
    if _channel is not None:
        _channel.heartbeat()
