"""Starts the process that the workers of a local Ray session are forked from, and has Ray use it.

A worker by itself takes up to 3 CPU seconds to import Ray, pandas and Ray Data, and 4 more to import torch; a build has
up to ten workers. The fork server imports them once, while the driver reads its inputs and starts the session.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from pipeline.engine import ask_fork_server
from workers.storage.scratch import scratch_folder

CHAIN = (
    "ray.data._internal.execution.operators.actor_pool_map_operator",
    "ray.data._internal.issue_detection.issue_detector_configuration",
    "pipeline.engine.compose",
    "pipeline.phases",
)
"""What the workers of each chain of stages import."""
BUILD = (*CHAIN, "model.towers.tower")
"""What the workers of all chains import: `CHAIN`, and `imports` of all stages."""
_ROOT = Path(__file__).resolve().parents[2]
_WAITING = 128  # workers whose requests wait for imports
_running: list[str] = []  # the address of this process' fork server


@contextmanager
def fork_server_of_new(corpus: str) -> Iterator[None]:
    """Runs a fork server in its block if all of a corpus is to be made by a local session."""
    # Not CORPUS of `pipeline.tables.corpus_file`, whose import takes as long as a second of the server's.
    is_new = "://" not in corpus and not Path(corpus, "corpus.json").exists()
    with fork_server(BUILD) if is_new and not os.environ.get("RAY_ADDRESS") else nullcontext():
        yield


@contextmanager
def fork_server(modules: Iterable[str]) -> Iterator[None]:
    """Runs a fork server that imports these modules; does nothing if this process runs one already, or not on Linux.

    Elsewhere, libraries of the system break in processes that are forked. Where it cannot be started, Ray starts its
    own workers.
    """
    if _running or sys.platform != "linux":
        yield
        return
    with ExitStack() as stack:
        with suppress(OSError):
            _start(modules, stack)
        yield


def _start(modules: Iterable[str], stack: ExitStack) -> None:
    """Starts a fork server that ends with `stack`."""
    # Only this user can enter the folder, and so connect to the socket.
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fork-", dir=scratch_folder("ray")))
    listening = stack.enter_context(socket.socket(socket.AF_UNIX))
    _driver, theirs = map(stack.enter_context, socket.socketpair())  # the server ends when this end is closed
    listening.bind(f"{folder}/s")
    listening.listen(_WAITING)
    passed = [listening.fileno(), theirs.fileno()]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.engine.fork_server", *map(str, passed), *dict.fromkeys(modules)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # if it cannot import a module, Ray's own workers take its place
        pass_fds=passed,
        env=_environment(),
        cwd="/",
        process_group=0,  # an interrupt at the terminal must only reach the driver
    )
    listening.close()
    theirs.close()
    stack.callback(process.wait)
    stack.callback(process.kill)
    stack.callback(_running.clear)
    _running.append(f"{folder}/s")


def _environment() -> dict[str, str]:
    # OpenBLAS has one thread per worker, since it reads the number when the server imports it; torch's is set later.
    paths = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": paths}


@contextmanager
def forking() -> Iterator[None]:
    """Has the sessions that start in its block fork their workers from this process' fork server, if it runs one."""
    if not _running:
        yield
        return
    from ray._private import ray_constants, services
    from ray._private.workers import default_worker

    from pipeline.engine.lean_ray import replaced

    start, worker = services.start_ray_process, default_worker.__file__
    theirs, ours = (subprocess.list2cmdline([path]) for path in (worker, ask_fork_server.__file__))  # as Ray quotes

    def start_ray_process(command: list[str], process_type: str, *arguments: Any, **options: Any) -> Any:
        if process_type == ray_constants.PROCESS_TYPE_RAYLET:
            command = [word.replace(theirs, ours) for word in command]
            # Ray would start a worker per core, and `ray.init` wait for them.
            command = [word for word in command if not word.startswith("--num_prestart_python_workers=")]
            command.append("--num_prestart_python_workers=0")
        return start(command, process_type, *arguments, **options)

    os.environ.update({ask_fork_server.SOCKET: _running[0], ask_fork_server.WORKER: worker})
    try:
        with replaced(services, "start_ray_process", start_ray_process):
            yield
    finally:
        for name in (ask_fork_server.SOCKET, ask_fork_server.WORKER):
            del os.environ[name]
