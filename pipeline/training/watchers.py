"""Leaves out of a run on one machine the processes with which Ray Train watches a cluster.

Each of them imports Ray Train, which costs about three seconds of CPU time:

- The cleaner frees what a killed controller had reserved. It asks the dashboard whether the controller lives; without
  one, as in a local session, it never finds out, and outlives an interrupted run.
  `pipeline.training.reservations` frees what a run had reserved.
- The watcher looks for nodes that are about to be taken away. The only node of a session ends with it.

No option switches the cleaner off, so it is replaced by name; `tests/pipeline/training/test_driver.py` fails if Ray
renames it.
"""

import os

import ray
from ray._private import services
from ray.train.v2._internal.constants import ENABLE_PREEMPTION_WATCHER_ENV_VAR as WATCHER
from ray.train.v2._internal.execution.callback import ControllerCallback
from ray.train.v2.api import data_parallel_trainer

_CLEANER = "PlacementGroupCleanerCallback"


def leave_out_watchers() -> None:
    """Has the runs that this process starts do without cleaner and watcher, where the session has no dashboard."""
    if services.get_webui_url_from_internal_kv():
        return
    setattr(data_parallel_trainer, _CLEANER, ControllerCallback)
    if len(ray.nodes()) == 1:
        os.environ.setdefault(WATCHER, "0")
