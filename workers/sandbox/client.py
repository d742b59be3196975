"""The caller's side of the sandbox: hands over a file, and reads messages that may be lies."""

import errno
import json
import os
import socket
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.rejects import REASONS, Reject
from workers.sandbox.limits import LOOK_S, SandboxError, SandboxLimits, Watch
from workers.sandbox.lockdown import FULL
from workers.sandbox.server_process import Died, ServerProcess
from workers.sandbox.task import LENGTHS, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, Kind, Message

# A crash may have a cause outside: only a file that crashes its process each time is the cause.
_CRASHES = 3
# No task dies of these by itself: somebody kills it, or the machine runs out of memory. An innocent file may be hit
# more than once; one that runs the machine out of memory is not tried for ever.
_KILLS = 10
_MAX_DETAIL = 500
_MAX_READ = 1 << 20


class Sandbox:
    """Runs the tasks that one module declares. Threads may share it.

    Args:
        tasks: name of a module of this project that has `TASKS`.
        limits: of each call.
        preload: modules that the server imports too, for tasks that import them late.
        gpu: tasks drive a GPU. Its driver needs files and system calls that the full sandbox refuses: they run without
            Landlock and seccomp.
    """

    def __init__(self, tasks: str, limits: SandboxLimits, preload: tuple[str, ...] = (), gpu: bool = False) -> None:
        self._limits, self._gpu = limits, gpu
        self._server = ServerProcess(tasks, preload)
        self.layers: frozenset[str] = frozenset()
        """The layers that were in force in the last call; see `workers.sandbox.lockdown`."""

    def is_full(self) -> bool:
        """Whether the last call ran in the full sandbox."""
        return self.layers >= FULL

    def call(
        self, task: str, file: str | Path | bytes, *, cpu_s: float | None = None, **arguments
    ) -> Iterator[Message]:
        """The messages of a task: headers and payloads, as the task yields them.

        Args:
            task: a name in the module's TASKS.
            file: what to read: bytes, or a path, which is opened here, with the rights of this process.
            cpu_s: CPU seconds that the call may take in all; None: no limit but that on stalling.
            arguments: what the task takes, as JSON can write it.

        Raises:
            OSError: the file cannot be opened.
            Reject: what the task rejects.
            SandboxError: the process came to a bad end, three times where it crashed.
            RuntimeError: what the task did not expect, with its traceback.
        """
        opened = _open(file)
        try:
            yield from self._call(task, opened, cpu_s, arguments)
        finally:
            os.close(opened)

    def close(self) -> None:
        """Ends the server process, and with it all calls."""
        self._server.close()

    def __del__(self) -> None:
        self.close()

    def _call(self, task: str, file: int, cpu_s: float | None, arguments: dict) -> Iterator[Message]:
        given, deaths = 0, Counter[bool]()
        while True:
            try:
                for number, message in enumerate(self._attempt(task, file, cpu_s, arguments)):
                    if number >= given:  # the same file gives the same messages: go on where the last process died
                        given += 1
                        yield message
                return
            except Died as death:
                deaths[death.killed] += 1
                if deaths[death.killed] == (_KILLS if death.killed else _CRASHES):
                    times = deaths[death.killed]
                    raise SandboxError("crashed", f"the process {death}, {times} times") from None

    def _attempt(self, task: str, file: int, cpu_s: float | None, arguments: dict) -> Iterator[Message]:
        memory_bytes = self._limits.memory_mb << 20
        request = {"task": task, "arguments": arguments, "memory_bytes": memory_bytes, "gpu": self._gpu}
        ours, theirs = socket.socketpair()
        with ours:
            asked = _open(json.dumps(request).encode())
            with theirs:
                try:
                    pid = self._server.fork([theirs.fileno(), asked, file])
                finally:
                    os.close(asked)
            watch = Watch(pid, self._limits, cpu_s)
            try:
                for kind, value, payload in _messages(ours, watch):
                    if kind == Kind.MESSAGE:
                        yield value, payload
                        watch.restart()
                    elif kind == Kind.END:
                        return
                    else:
                        try:
                            self._control(task, kind, value)
                        except (TypeError, ValueError):
                            raise _nonsense() from None
                raise Died(self._server.wait(pid))
            finally:
                self._server.kill(pid)

    def _control(self, task: str, kind: str, value: Any) -> None:
        """What a message tells that is not for the caller. Raises as `call`."""
        if kind == Kind.LAYERS:
            self.layers = frozenset(map(str, value))
        elif kind == Kind.MEMORY:
            raise SandboxError("memory", f"an allocation failed, with memory_mb = {self._limits.memory_mb}")
        elif kind == Kind.REJECT:
            reason, detail = value
            raise Reject(reason, str(detail)[:_MAX_DETAIL]) if reason in REASONS else _nonsense()
        elif kind == Kind.ERROR:
            raise RuntimeError(f"{task} failed in its sandbox process:\n{value}")
        elif kind != Kind.ALIVE:
            raise _nonsense()


@lru_cache(64)
def _shared(owner: int, *arguments: Any) -> Sandbox:
    return Sandbox(*arguments)


def sandbox(tasks: str, limits: SandboxLimits, preload: tuple[str, ...] = (), gpu: bool = False) -> Sandbox:
    """The Sandbox that all units of this process share: its server process is started once."""
    return _shared(os.getpid(), tasks, limits, preload, gpu)


def _open(file: str | Path | bytes) -> int:
    """A descriptor to read from; bytes lie in memory that has no name."""
    if not isinstance(file, bytes):
        # A pipe of that name would wait for ever, and anything else is no file to read.
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise OSError(errno.ENOENT, "not a regular file", str(file))
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("sandbox")
    else:
        with tempfile.TemporaryFile() as temporary:
            descriptor = os.dup(temporary.fileno())
    with os.fdopen(os.dup(descriptor), "wb") as stream:
        stream.write(file)
    return descriptor


def _messages(link: socket.socket, watch: Watch) -> Iterator[tuple[str, Any, bytes]]:
    """Kind, value and payload of each message, until the process closes its side."""
    link.settimeout(LOOK_S)
    while (lengths := _read(link, LENGTHS.size, watch)) is not None:
        header_bytes, payload_bytes = LENGTHS.unpack(lengths)
        if header_bytes > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
            raise _nonsense()
        header, payload = _read(link, header_bytes, watch), _read(link, payload_bytes, watch)
        if header is None or payload is None:
            return
        try:
            kind, value = json.loads(header)
        except (ValueError, TypeError, RecursionError):
            raise _nonsense() from None
        if kind == Kind.MESSAGE and not isinstance(value, dict):
            raise _nonsense()
        watch.sign_of_work()
        yield kind, value, payload


def _read(link: socket.socket, size: int, watch: Watch) -> bytes | None:
    """This many bytes; None where the process closes its side before."""
    data = bytearray()
    while len(data) < size:
        watch.look()
        try:
            part = link.recv(min(size - len(data), _MAX_READ))
        except TimeoutError:
            continue
        except ConnectionResetError:
            return None
        if not part:
            return None
        data += part
    return bytes(data)


def _nonsense() -> SandboxError:
    return SandboxError("crashed", "the process sent what is no message")
