"""Leaves out of a local Ray session what no build uses; each of these processes costs about a second of CPU time.

Ray starts a dashboard and its agent even where none is asked for, an agent that makes environments of tasks, a monitor
that adds nodes to a cluster and one that forwards the logs of workers to the driver. No option switches them off, so
they are replaced here by name, and `tests/pipeline/engine/test_private_ray.py` fails if Ray renames one. A cluster
keeps them.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from ray._private import ray_constants, services, utils
from ray._private.node import Node

from pipeline.engine import absent_agent

_command_of = services._build_python_executable_command_memory_profileable


@contextmanager
def only_needed_processes(runtime_env: bool = False) -> Iterator[None]:
    """Starts sessions in its block without processes that a build does not need.

    Args:
        runtime_env: whether tasks have a `runtime_env`, as those of Ray Train do, so that its agent is needed.
    """
    absent = {ray_constants.PROCESS_TYPE_DASHBOARD_AGENT}
    if not runtime_env:
        absent.add(ray_constants.PROCESS_TYPE_RUNTIME_ENV_AGENT)
    with ExitStack() as replacing:
        for start in ("start_api_server", "start_monitor", "start_log_monitor"):
            replacing.enter_context(replaced(Node, start, ignore))
        replacing.enter_context(replaced(services, _command_of.__name__, partial(_command, absent)))
        # It imports all of the dashboard in this process, to tell its agent what is missing.
        replacing.enter_context(replaced(utils, "get_dashboard_dependency_error", ignore))
        yield


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Replaces an attribute in the block. Raises AttributeError if there is none of that name."""
    before = vars(owner)[name] if name in vars(owner) else getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _command(absent: set[str], component: str, *args: Any, **options: Any) -> list[str]:
    """Returns the command that starts a process of Ray, without its script and arguments."""
    if component in absent:
        return [sys.executable, "-E", "-S", absent_agent.__file__]
    command: list[str] = _command_of(component, *args, **options)
    return command


def ignore(*_: Any, **__: Any) -> None:
    """Does nothing."""
