"""Bytes from a child to its parent through memory that both see. A socket between them says only where some stand.

Two halves in turn: while the parent reads one, the child fills the other.
"""

import fcntl
import io
import mmap
import os
import socket
import struct
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress

HALF_BYTES = 1 << 18
_LENGTH = struct.Struct("<I")  # before the bytes of a half
_STEP = _LENGTH.size + HALF_BYTES


def shared_file() -> int:
    """A descriptor of memory without a name, for `map_shared`; the caller closes it."""
    if sys.platform == "linux":
        file = os.memfd_create("media", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.truncate(file, 2 * _STEP)
        # A child could shorten it, and its parent would die of SIGBUS at the next read.
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        return file
    with tempfile.TemporaryFile() as temporary:
        file = os.dup(temporary.fileno())
    os.truncate(file, 2 * _STEP)
    return file


def map_shared(file: int) -> memoryview:
    """The memory of `shared_file`, for as long as it is referred to."""
    return memoryview(mmap.mmap(file, 2 * _STEP))


class SharedWriter(io.RawIOBase):
    """The child's side. Waits where the parent has read neither half."""

    def __init__(self, link: socket.socket, memory: memoryview) -> None:
        self._link, self._memory, self._half, self._free = link, memory, 0, 2

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        """Raises BrokenPipeError where the parent is gone."""
        if self._free:
            self._free -= 1
        elif not self._link.recv(1):
            raise BrokenPipeError("nobody reads")
        count, start = min(len(data), HALF_BYTES), self._half * _STEP
        _LENGTH.pack_into(self._memory, start, count)
        self._memory[start + _LENGTH.size :][:count] = data[:count]
        self._link.send(bytes([self._half]))
        self._half ^= 1
        return count


class SharedReader(io.RawIOBase):
    """The parent's side. Trusts nothing: a child that lies gives wrong bytes, never more than a half, never a wait.

    Args:
        wait: called before each read of the socket; returns when there is something, or raises.
    """

    def __init__(self, link: socket.socket, memory: memoryview, wait: Callable[[], None]) -> None:
        link.setblocking(False)
        self._link, self._memory, self._wait = link, memory, wait
        self._unread = memory[:0]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        """0: the child has closed its side, or is out of step."""
        if not self._unread:
            self._wait()
            half = b""
            with suppress(ConnectionResetError):  # closed before it took our last answer
                half = self._link.recv(1)
            if not half:
                return 0
            start = (half[0] & 1) * _STEP
            (length,) = _LENGTH.unpack_from(self._memory, start)
            self._unread = self._memory[start + _LENGTH.size :][: min(length, HALF_BYTES)]
        count = min(len(buffer), len(self._unread))
        buffer[:count] = self._unread[:count]
        self._unread = self._unread[count:]
        if not self._unread:
            with suppress(BrokenPipeError, BlockingIOError):  # gone, or taking none back: the next read says
                self._link.send(b".")
        return count
