"""The client's interface to the server process, which is started when it is needed and after it was killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from workers.sandbox.task import COMMAND, FORK, KILL, REPLY, RUNNING, STATUS

_ENDS_S = 10.0  # time for a process to end after it has closed its connection
_POLL_S = 0.01
_KILL_SIGNALS = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_ROOT = Path(__file__).resolve().parents[2]
_PASSED = ("PYTHONHOME", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "LANG", "LC_ALL")
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # glibc keeps the memory of a frame for the next one instead of returning and zeroing it.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "PATH": os.defpath,
    "PYTHONSAFEPATH": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Died(Exception):
    """A process ended before its task was finished; code None: it closed its connection and kept running."""

    def __init__(self, code: int | None) -> None:
        if code is None:
            super().__init__("closed its connection")
        else:
            super().__init__(f"died of signal {-code}" if code < 0 else f"ended with code {code}")
        self.killed = code is not None and -code in _KILL_SIGNALS


class ServerProcess:
    """Starts the server and sends it commands. Threads may share it."""

    def __init__(self, tasks: str, preload: tuple[str, ...]) -> None:
        self._modules, self._lock = (tasks, preload), threading.Lock()
        self._process: Any = None  # a Popen
        self._is_ready = False  # it has imported the tasks
        self._control: Any = None  # this end of the socket for commands

    def start(self) -> None:
        """Starts the server if it is not running, and does not wait until it has imported the tasks."""
        with self._lock:
            self._start()

    def fork(self, link: int) -> int:
        """Returns the id of a new process with this connection to its client.

        Raises:
            Died: the server was killed.
            RuntimeError: the server does not start.
        """
        with self._lock:
            self._start()
            return self._command(FORK, 0, [link])

    def wait(self, pid: int) -> int | None:
        """Returns the exit code of a process that closed its connection; None if it did not end and was killed."""
        end = time.monotonic() + _ENDS_S
        while time.monotonic() < end:
            with self._lock:
                code = self._command(STATUS, pid)
            if code != RUNNING:
                return code
            time.sleep(_POLL_S)
        self.kill(pid)
        return None

    def kill(self, pid: int) -> None:
        """Ends a process if it is running. The server does it, since it knows whether the id is still that process."""
        with self._lock, suppress(Died):  # all processes have ended with the server
            self._command(KILL, pid)

    def close(self) -> None:
        """Ends the server and all processes that it forked."""
        with self._lock:
            self._close()

    def _close(self) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        self._control.close()
        process.kill()
        return int(process.wait())

    def _command(self, name: bytes, pid: int, descriptors: list[int] | None = None) -> int:
        if self._process is None:
            raise Died(-signal.SIGKILL)
        if not self._is_ready:
            self._wait_ready()
        try:
            socket.send_fds(self._control, [COMMAND.pack(name, pid)], descriptors or [])
            return self._reply()
        except OSError:  # the server is gone
            raise Died(self._close()) from None

    def _reply(self) -> int:
        reply = self._control.recv(REPLY.size, socket.MSG_WAITALL)
        if len(reply) < REPLY.size:
            raise ConnectionResetError("the server closed its side")
        return int(REPLY.unpack(reply)[0])

    def _start(self) -> None:
        if self._process is not None:
            return
        tasks, preload = self._modules
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.sandbox", tasks, str(theirs.fileno()), *preload],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
                cwd="/",
                start_new_session=True,  # an interrupt at the terminal must only reach the parent
            )
        self._is_ready = False

    def _wait_ready(self) -> None:
        # No time limit, since imports may take long on a busy machine.
        try:
            self._reply()
        except OSError:
            death = Died(self._close_ended())
            if death.killed:
                raise death from None
            tasks = self._modules[0]
            raise RuntimeError(
                f"the sandbox of {tasks} {death} before it received a file: run `python -c 'import {tasks}'` to see why"
            ) from None
        self._is_ready = True

    def _close_ended(self) -> int:
        """Waits for a server that is ending by itself, then does the same as `_close`."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_S)
        return self._close()


def _environment() -> dict[str, str]:
    """Returns an environment with paths of libraries and GPUs, and nothing else of this process, such as keys."""
    paths = [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in paths)}
