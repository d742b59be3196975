"""The process that workers of a local Ray session are forked from, after it has imported what they need.

Started by `pipeline.engine.forked_workers` with a listening socket, a socket that closes with the driver, and names of
modules. Each connection is one request of `pipeline/engine/ask_fork_server.py`, made by Ray's raylet of this user.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

WORKER = "ray._private.workers.default_worker"


def main() -> None:
    """Serves until the driver ends."""
    listening, driver = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel removes workers that have ended
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # in workers as well, as Ray does
    # Ray reads these when it is imported. Workers get their job with their first task, as those do that Ray starts
    # before there is any, and end with the process of this id.
    os.environ |= {"RAY_JOB_ID": "ffffffff", "RAY_RAYLET_PID": str(os.getpid())}
    gc.disable()  # it finds nothing in objects that modules keep, and takes a tenth of the time
    import_module(WORKER)
    with _no_random_ids():
        for module in sys.argv[3:]:
            import_module(module)
    gc.enable()
    gc.collect()
    gc.freeze()  # garbage collection in a worker would copy all imported modules
    if not _forks_differ():
        sys.exit("workers would make the same random ids")
    while driver not in select.select([listening, driver], [], [])[0]:
        connection, _ = listening.accept()
        # Of a request that cannot be met, as with too many processes, whoever asked becomes Ray's own worker.
        with connection, suppress(OSError, ValueError):
            _serve(connection, listening, driver)
    address = Path(listening.getsockname())
    address.unlink(missing_ok=True)  # a driver that was killed has left it
    address.parent.rmdir()


def _serve(connection: socket.socket, listening: socket.socket, driver: socket.socket) -> None:
    request, descriptors = _receive(connection)
    try:
        if not os.fork():
            # Only the server is to keep these open, so that others see when it ends.
            listening.close()
            driver.close()
            _become_worker(connection, request, descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


@contextmanager
def _no_random_ids() -> Iterator[None]:
    """Keeps Ray's classes from taking their ids of Ray's generator when they are defined.

    It is seeded by its first use, so all workers would continue the same sequence of ids, also those of objects.
    """
    from ray import actor

    from pipeline.engine.lean_ray import replaced

    kind = actor.ActorClassID
    own = SimpleNamespace(from_random=lambda: kind(os.urandom(kind.size())))
    with replaced(actor, "ActorClassID", own):
        yield


def _forks_differ() -> bool:
    """Returns whether forked processes make different random ids."""
    from ray import ObjectRef

    ids = []
    for _ in range(2):
        reader, writer = os.pipe()
        if not os.fork():
            os.write(writer, ObjectRef.from_random().binary())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            ids.append(stream.read())
    return ids[0] != ids[1]


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    text, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    try:
        while part := connection.recv(1 << 16):
            text += part
        return json.loads(text), descriptors
    except (OSError, ValueError):
        for descriptor in descriptors:
            os.close(descriptor)
        raise


def _become_worker(connection: socket.socket, request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Runs Ray's worker with the arguments, environment, folder and logs of the request, and ends with it.

    Answers whoever asked once nothing but the worker itself can fail.
    """
    code = 1
    try:
        _take_over(request, descriptors)
        with connection:
            connection.sendall(b"1")
        runpy.run_module(WORKER, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  # the worker must not return into the server
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        os._exit(code)  # without deleting all modules, which takes a second


def _take_over(request: dict[str, Any], descriptors: list[int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    # Ray kills the group of a worker that has ended; in that of the server, it would take all of them.
    os.setpgid(0, request["process_group"])
    Path("/proc/self/oom_score_adj").write_text(request["oom_score_adj"])  # if memory runs out, before the driver
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv[1:] = request["arguments"]
    from ray._raylet import Config  # type: ignore[attr-defined]

    Config.initialize("")  # reads other settings from the environment again, such as that of the token
    del sys.modules[WORKER]  # it is run as a script now


if __name__ == "__main__":
    main()
