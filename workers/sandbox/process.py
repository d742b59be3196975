"""One sandboxed process as its client sees it: takes requests, and sends messages that may be lies."""

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
    """Forked from the server; locks itself when it gets its first request. Raises Died where the server was killed."""

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
        """The layers that are in force in it; see `workers.sandbox.lockdown`."""
        self.calls = 0
        self._only_file: FileIdentity | None = None

    def may_take(self, file: FileIdentity) -> bool:
        """Whether it may be given the file: the only one that it has seen, or any while it has CPU seconds left."""
        return file == self._only_file or self._watch.used_s() < self._watch.limits.reuse_cpu_s

    def run(self, task: str, request: int, file: int, identity: FileIdentity, cpu_s: float | None) -> Iterator[Message]:
        """The messages of a task.

        Args:
            request, file: descriptors.
            identity: the same for the same file in the same state only.
            cpu_s: CPU seconds that it may take; None: any.

        Raises:
            Died: the process ended, or closed its side.
            Reject, SandboxError, RuntimeError: as `workers.sandbox.client.Sandbox.call`.
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
                self._watch.sign_of_work()
                if kind == Kind.END:
                    self._watch.end()
                    return
                if kind == Kind.MESSAGE and isinstance(value, dict):
                    yield value, payload
                    self._watch.sign_of_work()  # it may have waited for the caller
                else:
                    try:
                        self._control(task, kind, value)
                    except (TypeError, ValueError):
                        raise _nonsense() from None
        raise Died(self._server.wait(self._pid))

    def close(self) -> None:
        """Ends it."""
        self._link.close()
        self._server.kill(self._pid)

    def _read_batch(self) -> list[tuple[str, Any, bytes]] | None:
        """Kinds, values and payloads of messages; None where the process closed its side."""
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
        """So many bytes, which the next call overwrites; None where the process closed its side.

        Never waited for longer than the limits allow.
        """
        data = memoryview(self._buffer if size <= len(self._buffer) else bytearray(size))[:size]
        got = 0
        while got < size:
            self._watch.look()
            try:
                found = self._link.recv_into(data[got:], 0, socket.MSG_WAITALL)
            except BlockingIOError:
                continue
            except ConnectionResetError:  # closed before it took all that was sent
                found = 0
            if not found:
                return None
            got += found
        return data

    def _control(self, task: str, kind: str, value: Any) -> None:
        """What a message says that is not for the caller. Raises as `run`."""
        if kind == Kind.LAYERS:
            self.layers = frozenset(map(str, value))
        elif kind == Kind.MEMORY:
            raise SandboxError("memory", f"an allocation failed, with memory_mb = {self._watch.limits.memory_mb}")
        elif kind == Kind.REJECT:
            reason, detail = value
            raise Reject(reason, str(detail)[:_MAX_DETAIL]) if reason in REASONS else _nonsense()
        elif kind == Kind.ERROR:
            raise RuntimeError(f"{task} failed in its sandbox process:\n{value}")
        elif kind != Kind.ALIVE:
            raise _nonsense()


def _messages(header: bytes, payload: memoryview) -> list[tuple[str, Any, bytes]]:
    """Raises ValueError, TypeError or RecursionError for what is no batch."""
    messages, end = [], 0
    for kind, value, length in json.loads(f"[{header.decode()}]"):
        start, end = end, end + length
        if not start <= end <= len(payload):
            raise ValueError(length)
        messages.append((kind, value, bytes(payload[start:end])))
    return messages


def _nonsense() -> SandboxError:
    return SandboxError("crashed", "the process sent what is no message")
