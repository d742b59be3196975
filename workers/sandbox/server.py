"""The server process: imports the declared tasks, and forks processes that lock themselves. Reads no untrusted bytes.

It executes commands of the client, which it receives over a socket (`workers.sandbox.task`). FORK comes with a
descriptor, the connection of the new process to the client. The server ends with the client.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any

from schemas.rejects import Reject
from workers.sandbox import lockdown
from workers.sandbox.task import (
    COMMAND,
    FORK,
    KILL,
    REPLY,
    REQUEST,
    RUNNING,
    STATUS,
    Channel,
    Kind,
    Task,
    connect,
    read_all,
)

_TRACEBACK_CHARS = 20_000


def main() -> None:
    """Serves until the client ends. Arguments: the module with the tasks, the control socket, modules to import."""
    tasks_module, control_fd, *preload = sys.argv[1:]
    os.nice(10)  # later stages and Ray's own processes have priority over decoding more
    tasks: dict[str, Task] = importlib.import_module(tasks_module).TASKS
    for module in preload:
        importlib.import_module(module)
    layers = ["environment", *lockdown.enter_namespaces()]
    gc.collect()
    gc.freeze()  # garbage collection in a forked process would copy all imported modules
    with socket.socket(fileno=int(control_fd)) as control:
        control.sendall(REPLY.pack(os.getpid()))
        _Server(tasks, layers, control).serve()


class _Server:
    def __init__(self, tasks: dict[str, Task], layers: list[str], control: socket.socket) -> None:
        self._tasks, self._layers, self._control = tasks, layers, control
        self._running: set[int] = set()

    def serve(self) -> None:
        handlers = {FORK: self._fork, STATUS: self._status, KILL: self._kill}
        while True:
            command, descriptors, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
            if len(command) < COMMAND.size:  # the client has ended
                break
            name, pid = COMMAND.unpack(command)
            reply = handlers[name](pid, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            with suppress(BrokenPipeError):
                self._control.sendall(REPLY.pack(reply))
        for pid in list(self._running):
            self._kill(pid, [])

    def _fork(self, _: int, descriptors: list[int]) -> int:
        own = os.getpid()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                lockdown.die_with(own)
                _answer_all(self._tasks, self._layers, *descriptors)
                code = 0
            finally:
                os._exit(code)
        self._running.add(pid)
        return pid

    def _status(self, pid: int, _: list[int]) -> int:
        return self._wait(pid, os.WNOHANG)

    def _kill(self, pid: int, _: list[int]) -> int:
        if pid in self._running:
            os.kill(pid, signal.SIGKILL)
        return self._wait(pid, 0)

    def _wait(self, pid: int, options: int) -> int:
        """Returns the exit code of a process, negative for a signal. An unknown process ended with its server."""
        if pid not in self._running:
            return -signal.SIGKILL
        found, status = os.waitpid(pid, options)
        if not found:
            return RUNNING
        self._running.discard(pid)
        return os.waitstatus_to_exitcode(status)


def _answer_all(tasks: dict[str, Task], layers: list[str], link_fd: int) -> None:
    """Runs in the sandbox process: locks it before the first file is read, then executes requests in turn."""
    link, locked = socket.socket(fileno=link_fd), False
    channel = connect(link_fd)
    while len(descriptors := socket.recv_fds(link, len(REQUEST), 2)[1]) == 2:
        asked, file = descriptors
        request = json.loads(read_all(asked))
        os.close(asked)
        if not locked:
            layers = [*layers, *lockdown.keep_descriptors((link_fd, file))]
            layers += lockdown.lock([file], request["memory_bytes"], request["gpu"])
            channel.send(Kind.LAYERS, layers)
            locked = True
        _answer(tasks, channel, file, request["task"], request["arguments"])
        os.close(file)


def _answer(tasks: dict[str, Task], channel: Channel, file: int, task: str, arguments: dict[str, Any]) -> None:
    channel.begin()
    try:
        for value, payload in tasks[task](file, **arguments):
            channel.send(Kind.MESSAGE, value, payload)
        channel.send(Kind.END)
    except Reject as reject:
        channel.send(Kind.REJECT, [reject.reason, reject.detail])
    except MemoryError:
        channel.send(Kind.MEMORY)
    except BrokenPipeError:  # the client needs no further messages
        raise
    except Exception:  # noqa: BLE001  # an unexpected error, which the client raises
        channel.send(Kind.ERROR, traceback.format_exc()[-_TRACEBACK_CHARS:])
    channel.flush()
