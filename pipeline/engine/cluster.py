"""The Ray session of a build: the cluster that it was submitted to, or a local one."""

import logging
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

import ray

from pipeline.engine.forked_workers import fork_server, forking
from pipeline.engine.lean_ray import only_needed_processes
from pipeline.engine.private_ray import private_options

# Rows are references, so the object store needs little memory; by default, Ray takes a third of the machine's.
OBJECT_STORE_BYTES = 512 * 2**20
LISTEN_TIMEOUT_S, CONNECT_TIMEOUT_S = 5, 20


class ClusterUnreachable(ValueError):
    """No Ray cluster answers at RAY_ADDRESS. The message contains the address and the remedy."""


@contextmanager
def ray_session(
    num_cpus: int | None = None, *, imports: Iterable[str] = (), runtime_env: bool = False
) -> Iterator[None]:
    """Connects to the cluster at RAY_ADDRESS (set in submitted jobs), or uses the process' session, or starts one.

    Args:
        num_cpus: number of cores of a session that is started; None: all of this machine.
        imports: modules that workers of a session that is started need and that take long to import.
        runtime_env: whether tasks in it have a `runtime_env`; a session of a build has no agent that makes them.

    Raises:
        ClusterUnreachable: nothing answers at RAY_ADDRESS; raised within 30 s.
    """
    if ray.is_initialized():
        _set_data_context()
        yield
        return
    with ExitStack() as session:
        address = os.environ.get("RAY_ADDRESS", "").removeprefix("local")
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
        if address:
            _check_listens(address)
        else:
            session.enter_context(fork_server(imports))
            session.enter_context(only_needed_processes(runtime_env))
            session.enter_context(forking())
            # At least two cores: on one core, a chain's pinned actors would leave none to its tasks.
            options |= {
                "num_cpus": num_cpus or max(2, os.cpu_count() or 1),
                "object_store_memory": OBJECT_STORE_BYTES,
                "include_dashboard": False,
                **private_options(),
            }
            # Ray Data's newer autoscaler loses fractions of a core to rounding: of two cores, nearly one.
            os.environ.setdefault("RAY_DATA_CLUSTER_AUTOSCALER", "V2")
            # A worker may wait longer than a second for its next unit; by default, Ray would replace it.
            os.environ.setdefault("RAY_idle_worker_killing_time_threshold_ms", "60000")
        # The log of Ray's C++ contains nothing that a user could act on: errors that end a build are exceptions.
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        # Ray Data takes as long to import as a session to start.
        with _no_native_stderr(), ThreadPoolExecutor(1) as meanwhile:
            lean_ray_data = meanwhile.submit(import_module, "pipeline.engine.lean_ray_data")
            over = _init(options, address)
        try:
            if not address:
                session.enter_context(lean_ray_data.result().no_helper_actors())
            _set_data_context()
            yield
        finally:
            ray.shutdown()
            over.set()


@contextmanager
def _no_native_stderr() -> Iterator[None]:
    """Discards stderr in the block: Ray's C++ writes warnings to it before it knows its log level."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def _check_listens(address: str) -> None:
    """Raises ClusterUnreachable if nothing listens at the address; Ray itself would retry for minutes."""
    scheme, _, rest = address.rpartition("://")
    if scheme in ("http", "https"):
        raise ClusterUnreachable(_unreachable(address, "that is a dashboard, for `ray job submit`; give HOST:PORT"))
    host, _, port = rest.rpartition(":")
    if not port.isdigit():  # "auto" and the like: Ray answers at once
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=LISTEN_TIMEOUT_S).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise ClusterUnreachable(_unreachable(address, str(error))) from None


def _init(options: dict[str, Any], address: str) -> threading.Event:
    """Calls ray.init in a thread, since it may wait in C++ for minutes, without reacting to signals and deadlines.

    Returns:
        An event to set after ray.shutdown. The thread runs until then, since Linux kills Ray's processes together with
        the thread that started them.
    """
    connected: Future[Any] = Future()
    over = threading.Event()

    def init() -> None:
        try:
            connected.set_result(ray.init(**options))
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits
            connected.set_exception(error)
        over.wait()

    handler = signal.getsignal(signal.SIGTERM)
    is_main = threading.current_thread() is threading.main_thread()
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    threading.Thread(target=init, daemon=True).start()
    while not connected.done():
        wait([connected], timeout=0.05)
        if is_main:  # Ray's C++ installs a handler that prints a stack trace
            signal.signal(signal.SIGTERM, handler)
        if address and time.monotonic() > deadline and not connected.done():
            raise ClusterUnreachable(_unreachable(address, f"no Ray cluster answered in {CONNECT_TIMEOUT_S} s"))
    try:
        connected.result()
    except Exception as error:
        over.set()
        if not address:
            raise
        raise ClusterUnreachable(_unreachable(address, str(error).strip().partition("\n")[0].rstrip(" .:"))) from error
    return over


def _unreachable(address: str, reason: str) -> str:
    return (
        f"RAY_ADDRESS = {address!r}: cannot connect: {reason}. Start a cluster there, or unset RAY_ADDRESS to run on "
        "this machine alone"
    )


def _set_data_context() -> None:
    from ray.data import DataContext

    context = DataContext.get_current()
    # A unit yields nothing before its end and may take hours (downloads, for example), bounded by the limits of its
    # stage. Resources that never become available are detected by `check_fits`.
    context.execution_no_progress_timeout_s = -1
    # A worker that is killed while it loads weights is replaced, like one that is killed later.
    context.max_consecutive_actor_init_deaths = 10
    # Only idle workers are released, since a new one has to load its weights again.
    context.autoscaling_config.actor_pool_util_downscaling_threshold = 0.0
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # At the end of every phase, there are fewer units than workers.
    warnings.filterwarnings("ignore", message="The maximum number of concurrent tasks")
