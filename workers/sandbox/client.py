"""The caller's side of the sandbox: hands over a file, tries again after a crash, and keeps processes for a while."""

import errno
import json
import os
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.rejects import Reject
from workers.sandbox.limits import SandboxError, SandboxLimits
from workers.sandbox.process import FileIdentity, Process
from workers.sandbox.server_process import Died, ServerProcess
from workers.sandbox.task import Message

# A crash may have a cause outside: only a file that crashes its process each time is the cause.
_CRASHES = 3
# No task dies of these by itself: somebody kills it, or the machine runs out of memory. An innocent file may be hit
# more than once; one that runs the machine out of memory is not tried for ever.
_KILLS = 10
_MAX_IDLE = 4  # processes, of several threads


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
        self._idle: list[Process] = []
        self.layers: frozenset[str] = frozenset()
        """The layers that were in force in the last call; see `workers.sandbox.lockdown`."""

    def call(
        self, task: str, file: str | Path | bytes, *, cpu_s: float | None = None, fresh: bool = False, **arguments: Any
    ) -> Iterator[Message]:
        """The messages of a task: headers and payloads, as the task yields them.

        Args:
            task: a name in the module's TASKS.
            file: what to read: bytes, or a path, which is opened here, with the rights of this process.
            cpu_s: CPU seconds that the call may take in all; None: no limit but that on stalling.
            fresh: in a new process, which may also open the file by the name `/proc/self/fd/N`.
            arguments: what the task takes, as JSON can write it.

        Raises:
            OSError: the file cannot be opened.
            Reject: what the task rejects.
            SandboxError: the process came to a bad end, three times where it crashed.
            RuntimeError: what the task did not expect, with its traceback.
        """
        memory_bytes = self._limits.memory_mb << 20
        request = {"task": task, "arguments": arguments, "memory_bytes": memory_bytes, "gpu": self._gpu}
        opened, asked = _open(file), _open(json.dumps(request).encode())
        given, deaths = 0, Counter[bool]()
        try:
            while True:
                try:
                    for number, message in enumerate(self._attempt(task, asked, opened, cpu_s, fresh)):
                        if number >= given:  # the same file gives the same messages: go on where the last process died
                            given += 1
                            yield message
                    return
                except _SpoiledError:
                    fresh = True
                except Died as death:
                    fresh = True
                    deaths[death.killed] += 1
                    if deaths[death.killed] == (_KILLS if death.killed else _CRASHES):
                        times = deaths[death.killed]
                        raise SandboxError("crashed", f"the process {death}, {times} times") from None
        finally:
            os.close(opened)
            os.close(asked)

    def close(self) -> None:
        """Ends the server process, and with it all others."""
        self._server.close()  # first: then no process has to be ended by its own command
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        self.close()

    def _attempt(self, task: str, request: int, file: int, cpu_s: float | None, fresh: bool) -> Iterator[Message]:
        identity = _identity(file)
        process = (None if fresh else self._take_idle(identity)) or Process(self._server, self._limits)
        goes_on = False
        try:
            yield from process.run(task, request, file, identity, cpu_s)
            goes_on = True
        except Reject:
            goes_on = True
            raise
        except SandboxError as error:
            # What files before it left behind is no fault of this one: it gets a process of its own.
            if error.kind == "memory" and process.calls > 1:
                raise _SpoiledError from None
            raise
        finally:
            self.layers = process.layers
            if goes_on and len(self._idle) < _MAX_IDLE and process.may_take(identity):
                self._idle.append(process)
            else:
                process.close()

    def _take_idle(self, file: FileIdentity) -> Process | None:
        """A process that may be given the file; ends those that may not, since they are used up."""
        with suppress(IndexError):  # another thread may take the last one meanwhile
            while self._idle:
                process = self._idle.pop()
                if process.may_take(file):
                    return process
                process.close()
        return None


class _SpoiledError(Exception):
    """The process had too little left of what it may take."""


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
        raise OSError(errno.EINVAL, "not a regular file", str(file))
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("sandbox")
    else:
        with tempfile.TemporaryFile() as temporary:
            descriptor = os.dup(temporary.fileno())
    with os.fdopen(os.dup(descriptor), "wb") as stream:
        stream.write(file)
    return descriptor


def _identity(file: int) -> FileIdentity:
    """Of an open file. Numbers of inodes are used again when a file is removed, so its times belong to it."""
    status = os.fstat(file)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
