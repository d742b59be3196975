"""The client of the sandbox: passes files to sandbox processes, retries after crashes, and reuses processes."""

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

# A crash may have another cause than the file, unless the file crashes its process each time.
_CRASHES = 3
# Signals of these kinds come from outside, or the machine is out of memory. A file may be hit repeatedly without being
# the cause; the limit stops files that exhaust the memory of the machine.
_KILLS = 10
_MAX_IDLE = 4  # processes, for several threads


class Sandbox:
    """Runs the tasks that one module declares. Threads may share it.

    Args:
        tasks: name of a module of this project with a dict `TASKS`.
        limits: limits of each call.
        preload: further modules that the server imports, for tasks that import them late.
        gpu: whether tasks use a GPU. Its driver needs files and system calls that Landlock and seccomp refuse, so these
            layers are left out.
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
        """Yields the messages of a task, headers and payloads.

        Args:
            task: name of the task in TASKS.
            file: content as bytes, or a path, which this process opens.
            cpu_s: maximum CPU seconds of the whole call; None: only stalling is limited.
            fresh: whether to use a new process, which may also open the file by the name `/proc/self/fd/N`.
            arguments: arguments of the task that JSON can represent.

        Raises:
            OSError: the file cannot be opened.
            Reject: the task rejects the file.
            SandboxError: the process exceeded a limit, or crashed three times.
            RuntimeError: the task raised any other error; the message contains its traceback.
        """
        memory_bytes = self._limits.memory_mb << 20
        request = {"task": task, "arguments": arguments, "memory_bytes": memory_bytes, "gpu": self._gpu}
        opened, asked = _open(file), _open(json.dumps(request).encode())
        given, deaths = 0, Counter[bool]()
        try:
            while True:
                try:
                    for number, message in enumerate(self._attempt(task, asked, opened, cpu_s, fresh)):
                        if number >= given:  # the same file gives the same messages: skip those received already
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

    def start(self) -> None:
        """Starts the server process without waiting for it, so that the caller can do something else meanwhile."""
        self._server.start()

    def close(self) -> None:
        """Ends the server process and with it all sandbox processes."""
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
            # Earlier files may have left too little memory, so this file is tried in a new process.
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
        """Returns an idle process that may read the file; ends processes that may not, since they are used up."""
        with suppress(IndexError):  # another thread may take the last one
            while self._idle:
                process = self._idle.pop()
                if process.may_take(file):
                    return process
                process.close()
        return None


class _SpoiledError(Exception):
    """Earlier files left the process with too little memory."""


@lru_cache(64)
def _shared(owner: int, *arguments: Any) -> Sandbox:
    return Sandbox(*arguments)


def sandbox(tasks: str, limits: SandboxLimits, preload: tuple[str, ...] = (), gpu: bool = False) -> Sandbox:
    """Returns the Sandbox with these settings that all units of this process share."""
    return _shared(os.getpid(), tasks, limits, preload, gpu)


def _open(file: str | Path | bytes) -> int:
    """Returns a descriptor of the file; bytes become a file in memory without a name."""
    if not isinstance(file, bytes):
        # Opening a named pipe would block forever without O_NONBLOCK.
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
    """Returns what identifies an open file; with its times, since inode numbers are reused when a file is removed."""
    status = os.fstat(file)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
