"""Leaves out of a local session the actors that Ray Data starts and no build uses, as `lean_ray` does those of Ray.

They are three: for statistics that the dashboard shows, for dividing a cluster among several drivers, and for the nodes
of restarted workers. Importing Ray Data takes about as long as starting a session, so it is done meanwhile
(`pipeline/engine/cluster.py`).
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import ray
from ray.data._internal import stats
from ray.data._internal.cluster_autoscaler import AutoscalingCoordinator, default_cluster_autoscaler_v2
from ray.data._internal.execution.operators import actor_pool_map_operator

from pipeline.engine.lean_ray import ignore, replaced


@contextmanager
def no_helper_actors() -> Iterator[None]:
    """Runs data sets in its block without Ray Data's helper actors."""
    coordinator, tracker = "DefaultAutoscalingCoordinator", "get_or_create_actor_location_tracker"
    with ExitStack() as replacing:
        replacing.enter_context(replaced(stats, "get_or_create_stats_actor", _IgnoringActor))
        replacing.enter_context(replaced(stats._StatsManager, "gen_dataset_id_from_stats_actor", _dataset_id))
        replacing.enter_context(replaced(default_cluster_autoscaler_v2, coordinator, _WholeSession))
        replacing.enter_context(replaced(actor_pool_map_operator, tracker, _IgnoringActor))
        replacing.enter_context(replaced(actor_pool_map_operator, "get_actor_locations", _all_here))
        yield


class _IgnoringActor:
    """Stands for the handle of an actor whose methods nobody needs: `actor.method.remote(...)` does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # pickle looks for these
            raise AttributeError(name)
        return _IgnoredMethod


class _IgnoredMethod:
    remote = staticmethod(ignore)


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
