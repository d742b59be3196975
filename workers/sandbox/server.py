"""The server process: imports the declared tasks, and forks a locked process for each call. Reads no untrusted bytes.

It follows commands of the client over a socket (`workers.sandbox.task`); with FORK come three descriptors: the task's
connection to the client, the request (JSON: task, arguments, memory) and the file. It ends when the client does.
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

from schemas.rejects import Reject
from workers.sandbox import lockdown
from workers.sandbox.task import COMMAND, FORK, KILL, REPLY, RUNNING, STATUS, Kind, Task, connect, read_all

_DESCRIPTORS = 3  # of a call
_TRACEBACK_CHARS = 20_000


def main() -> None:
    """Serves until the client is gone. Arguments: the module with the tasks, the control socket, modules to import."""
    tasks_module, control_fd, *preload = sys.argv[1:]
    os.nice(10)  # there is always more to decode: what has been goes on first, and Ray stays alive on a full machine
    tasks: dict[str, Task] = importlib.import_module(tasks_module).TASKS
    for module in preload:
        importlib.import_module(module)
    layers = ["environment", *lockdown.enter_namespaces()]
    gc.collect()
    gc.freeze()  # collecting in a forked process would copy all that was imported
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
            command, descriptors, _, _ = socket.recv_fds(self._control, COMMAND.size, _DESCRIPTORS)
            if len(command) < COMMAND.size:  # the client is gone
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
                _run(self._tasks, self._layers, *descriptors)
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
        """Exit code of a process, negative for a signal. What this server did not start died with an earlier one."""
        if pid not in self._running:
            return -signal.SIGKILL
        found, status = os.waitpid(pid, options)
        if not found:
            return RUNNING
        self._running.discard(pid)
        return os.waitstatus_to_exitcode(status)


def _run(tasks: dict[str, Task], layers: list[str], link: int, request_file: int, file: int) -> None:
    """One task, in its own process."""
    request = json.loads(read_all(request_file))
    layers = [*layers, *lockdown.keep_descriptors((link, file))]
    layers += lockdown.lock([file], request["memory_bytes"], request["gpu"])
    channel = connect(os.fdopen(link, "wb"))
    channel.send(Kind.LAYERS, layers)
    try:
        for value, payload in tasks[request["task"]](file, **request["arguments"]):
            channel.send(Kind.MESSAGE, value, payload)
    except Reject as reject:
        channel.send(Kind.REJECT, [reject.reason, reject.detail])
    except MemoryError:
        channel.send(Kind.MEMORY)
    except BrokenPipeError:  # the client wants no more
        return
    except Exception:
        # Not expected: the caller raises it before the user.
        channel.send(Kind.ERROR, traceback.format_exc()[-_TRACEBACK_CHARS:])
    else:
        channel.send(Kind.END)
