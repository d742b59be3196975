"""The client's interface to one sandbox process, whose messages are untrusted."""

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

from schemas.rejects import REASONS, Reject
from workers.sandbox.limits import LOOK_S, SandboxError, SandboxLimits, Watch
from workers.sandbox.server_process import Died, ServerProcess
from workers.sandbox.task import BATCH_BYTES, LENGTHS, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, REQUEST, Kind, Message

FileIdentity = tuple[int, ...]

_MAX_DETAIL = 500


class Process:
    """Is forked from the server; locks itself when it gets its first request.

    Raises Died where the server was killed.
    """

    def __init__(self, server: ServerProcess, limits: SandboxLimits) -> None:
        self._server = server
        self._link, theirs = socket.socketpair()
        try:
            with theirs:
                # A whole batch fits in: the process goes on while its caller reads. The kernel takes less where it
                # must.
                theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BATCH_BYTES)
                self._pid = server.fork(theirs.fileno())
        except BaseException:
            self._link.close()
            raise
        # Of the kernel, which then waits for all of a batch; a timeout of Python's makes each call two.
        self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(LOOK_S * 1e6)))
        self._buffer = bytearray(BATCH_BYTES)  # kept, since a new one costs the pages of each batch
        self._watch = Watch(self._pid, limits)
        self.layers: frozenset[str] = frozenset()
        """The layers that are active in it; see `workers.sandbox.lockdown`."""
        self.calls = 0
        self._only_file: FileIdentity | None = None

    def may_take(self, file: FileIdentity) -> bool:
        """Returns whether it may read a file: the only one it has read so far, or any file until `reuse_cpu_s`."""
        return file == self._only_file or self._watch.used_s() < self._watch.limits.reuse_cpu_s

    def run(self, task: str, request: int, file: int, identity: FileIdentity, cpu_s: float | None) -> Iterator[Message]:
        """Yields the messages of a task.

        Args:
            request, file: descriptors.
            identity: identity of the file; equal only for the same file in the same state.
            cpu_s: maximum CPU seconds; None: no limit.

        Raises:
            Died: the process ended or closed its connection.
            Reject, SandboxError, RuntimeError: see `workers.sandbox.client.Sandbox.call`.
        """
        self._only_file = identity if self.calls == 0 or identity == self._only_file else None
        self.calls += 1
        self._watch.begin(cpu_s)
        try:
            socket.send_fds(self._link, [REQUEST], [request, file])
        except OSError:
            raise Died(self._server.wait(self._pid)) from None
        while (batch := self._read_batch()) is not None:
            for kind, value, payload in batch:
                self._watch.heartbeat()
                if kind == Kind.END:
                    self._watch.end()
                    return
                if kind == Kind.MESSAGE and isinstance(value, dict):
                    yield value, payload
                    self._watch.heartbeat()  # the process may have waited for the caller
                else:
                    try:
                        self._control(task, kind, value)
                    except (TypeError, ValueError):
                        raise _nonsense() from None
        raise Died(self._server.wait(self._pid))

    def close(self) -> None:
        """Ends the process."""
        self._link.close()
        self._server.kill(self._pid)

    def _read_batch(self) -> list[tuple[str, Any, bytes]] | None:
        """Returns kinds, values and payloads of messages; None if the process closed its connection."""
        if (lengths := self._read(LENGTHS.size)) is None:
            return None
        header_bytes, payload_bytes = LENGTHS.unpack(lengths)
        if header_bytes > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
            raise _nonsense()
        if (read := self._read(header_bytes)) is None:
            return None
        header = bytes(read)
        if (payload := self._read(payload_bytes)) is None:
            return None
        try:
            return _messages(header, payload)
        except (ValueError, TypeError, RecursionError):
            raise _nonsense() from None

    def _read(self, size: int) -> memoryview | None:
        """Returns `size` bytes, which the next call overwrites; None if the process closed its connection.

        Raises SandboxError if the process exceeds its limits meanwhile.
        """
        data = memoryview(self._buffer if size <= len(self._buffer) else bytearray(size))[:size]
        got = 0
        while got < size:
            self._watch.look()
            try:
                found = self._link.recv_into(data[got:], 0, socket.MSG_WAITALL)
            except BlockingIOError:
                continue
            except ConnectionResetError:  # closed before it received everything
                found = 0
            if not found:
                return None
            got += found
        return data

    def _control(self, task: str, kind: str, value: Any) -> None:
        """Handles a message that is not for the caller. Raises the same errors as `run`."""
        if kind == Kind.LAYERS:
            self.layers = frozenset(map(str, value))
        elif kind == Kind.MEMORY:
            raise SandboxError("memory", f"an allocation failed, with memory_mb = {self._watch.limits.memory_mb}")
        elif kind == Kind.REJECT:
            reason, detail = value
            raise Reject(reason, str(detail)[:_MAX_DETAIL]) if reason in REASONS else _nonsense()
        elif kind == Kind.ERROR:
            raise RuntimeError(f"{task} failed in its sandbox process:\n{value}")
        elif kind != Kind.HEARTBEAT:
            raise _nonsense()


def _messages(header: bytes, payload: memoryview) -> list[tuple[str, Any, bytes]]:
    """Returns the messages of a batch. Raises ValueError, TypeError or RecursionError if it is invalid."""
    messages, end = [], 0
    for kind, value, length in json.loads(f"[{header.decode()}]"):
        start, end = end, end + length
        if not start <= end <= len(payload):
            raise ValueError(length)
        messages.append((kind, value, bytes(payload[start:end])))
    return messages


def _nonsense() -> SandboxError:
    return SandboxError("crashed", "the process sent an invalid message")
