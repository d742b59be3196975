"""One sandboxed process as its client sees it: takes requests, and sends messages that may be lies."""

import io
import json
import socket
from collections.abc import Iterator
from typing import Any

from schemas.rejects import REASONS, Reject
from workers.sandbox.limits import LOOK_S, SandboxError, SandboxLimits, Watch
from workers.sandbox.server_process import Died, ServerProcess
from workers.sandbox.task import LENGTHS, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, REQUEST, Kind, Message

_MAX_DETAIL = 500
_BUFFER_BYTES = 1 << 18


class Process:
    """Forked from the server; locks itself when it gets its first request. Raises Died where the server was killed."""

    def __init__(self, server: ServerProcess, limits: SandboxLimits) -> None:
        self._server = server
        self._link, theirs = socket.socketpair()
        with theirs:
            self._pid = server.fork(theirs.fileno())
        self._link.settimeout(LOOK_S)
        self._watch = Watch(self._pid, limits)
        self._reader = io.BufferedReader(_Watched(self._link, self._watch), _BUFFER_BYTES)
        self.layers: frozenset[str] = frozenset()
        """The layers that are in force in it; see `workers.sandbox.lockdown`."""
        self.calls = 0

    def run(self, task: str, request: int, file: int, cpu_s: float | None) -> Iterator[Message]:
        """The messages of a task.

        Args:
            request, file: descriptors.
            cpu_s: CPU seconds that it may take; None: any.

        Raises:
            Died: the process ended, or closed its side.
            Reject, SandboxError, RuntimeError: as `workers.sandbox.client.Sandbox.call`.
        """
        self.calls += 1
        self._watch.begin(cpu_s)
        try:
            socket.send_fds(self._link, [REQUEST], [request, file])
        except OSError:
            raise Died(self._server.wait(self._pid)) from None
        while (found := self._read()) is not None:
            kind, value, payload = found
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

    def cpu_s(self) -> float:
        """CPU seconds that it has used."""
        return self._watch.used_s()

    def close(self) -> None:
        """Ends it."""
        self._link.close()
        self._server.kill(self._pid)

    def _read(self) -> tuple[str, Any, bytes] | None:
        """Kind, value and payload of a message; None where the process closed its side."""
        lengths = self._reader.read(LENGTHS.size)
        if len(lengths) < LENGTHS.size:
            return None
        sizes = LENGTHS.unpack(lengths)
        if sizes[0] > MAX_HEADER_BYTES or sizes[1] > MAX_PAYLOAD_BYTES:
            raise _nonsense()
        header, payload = map(self._reader.read, sizes)
        if (len(header), len(payload)) != sizes:
            return None
        try:
            kind, value = json.loads(header)
        except (ValueError, TypeError, RecursionError):
            raise _nonsense() from None
        return kind, value, payload

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


class _Watched(io.RawIOBase):
    """The link, as a stream that is never waited for longer than the limits allow."""

    def __init__(self, link: socket.socket, watch: Watch) -> None:
        self._link, self._watch = link, watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._watch.look()
            try:
                return self._link.recv_into(buffer)
            except TimeoutError:
                continue
            except ConnectionResetError:  # closed before it took all that was sent
                return 0


def _nonsense() -> SandboxError:
    return SandboxError("crashed", "the process sent what is no message")
