"""Leaves out of a local Ray session what no build uses; each of these processes costs about a second of CPU time.

Ray starts a dashboard and its agent even where none is asked for, an agent that makes environments of tasks, a monitor
that adds nodes to a cluster and one that forwards the logs of workers to the driver. Ray Data starts three actors: for
statistics that the dashboard shows, for dividing a cluster among several drivers, and for the nodes of restarted
workers. No option switches them off, so they are replaced here by name, and
`tests/pipeline/engine/test_private_ray.py` fails if Ray renames one. A cluster keeps them.
"""

import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import ray
from ray._private import ray_constants, services, utils
from ray._private.node import Node
from ray.data._internal import stats
from ray.data._internal.cluster_autoscaler import AutoscalingCoordinator, default_cluster_autoscaler_v2
from ray.data._internal.execution.operators import actor_pool_map_operator

from pipeline.engine import absent_agent

_command_of = services._build_python_executable_command_memory_profileable


@contextmanager
def only_needed_processes(runtime_env: bool = False) -> Iterator[None]:
    """Starts sessions in its block without processes that a build does not need; Ray Data starts none either.

    Args:
        runtime_env: whether tasks have a `runtime_env`, as those of Ray Train do, so that its agent is needed.
    """
    absent = {ray_constants.PROCESS_TYPE_DASHBOARD_AGENT}
    if not runtime_env:
        absent.add(ray_constants.PROCESS_TYPE_RUNTIME_ENV_AGENT)
    with ExitStack() as replaced:
        for start in ("start_api_server", "start_monitor", "start_log_monitor"):
            replaced.enter_context(_replaced(Node, start, _ignore))
        replaced.enter_context(_replaced(services, _command_of.__name__, partial(_command, absent)))
        # It imports all of the dashboard in this process, to tell its agent what is missing.
        replaced.enter_context(_replaced(utils, "get_dashboard_dependency_error", _ignore))
        replaced.enter_context(_replaced(stats, "get_or_create_stats_actor", _IgnoringActor))
        replaced.enter_context(_replaced(stats._StatsManager, "gen_dataset_id_from_stats_actor", _dataset_id))
        coordinator = "DefaultAutoscalingCoordinator"
        replaced.enter_context(_replaced(default_cluster_autoscaler_v2, coordinator, _WholeSession))
        tracker = "get_or_create_actor_location_tracker"
        replaced.enter_context(_replaced(actor_pool_map_operator, tracker, _IgnoringActor))
        replaced.enter_context(_replaced(actor_pool_map_operator, "get_actor_locations", _all_here))
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
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


def _ignore(*_: Any, **__: Any) -> None:
    """Does nothing."""


class _IgnoringActor:
    """Stands for the handle of an actor whose methods nobody needs: `actor.method.remote(...)` does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # pickle looks for these
            raise AttributeError(name)
        return _IgnoredMethod


class _IgnoredMethod:
    remote = staticmethod(_ignore)


def _dataset_id() -> str:
    return uuid.uuid4().hex


class _WholeSession(AutoscalingCoordinator):
    """Reserves all nodes for the only driver of a session, at once."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._nodes = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}

    def request_resources(self, *_: Any, **__: Any) -> None:
        """Does nothing: a local session never grows."""

    def cancel_request(self) -> None:
        """Does nothing."""

    def get_reserved_resources(self) -> Any:
        """Returns the resources of each node."""
        return self._nodes


def _all_here(logical_actor_ids: tuple[str, ...]) -> dict[str, str]:
    """Returns the node of each worker: a local session has one."""
    return dict.fromkeys(logical_actor_ids, ray.get_runtime_context().get_node_id())
