"""Frees what the controller of an ended training run had reserved.

Ray frees the placement groups of a killed actor when its job has ended as well. Ray Train's own cleaner frees them
before, but needs a dashboard to find that the controller is dead, which a local session does not have.
"""

import time
from typing import Any

import ray
from ray._private.state import actors, state
from ray.core.generated.gcs_pb2 import PlacementGroupTableData as Group  # type: ignore[attr-defined]
from ray.util import remove_placement_group
from ray.util.placement_group import PlacementGroup

_CONTROLLER = "TrainController"
_WAIT_S = 30


def free_reservations(fit: Any) -> None:
    """Removes the placement groups of this job's Ray Train controllers, and waits up to 30 s for these to end.

    A controller that is about to be killed may take the end of its workers for a loss, and reserve room for others.

    Args:
        fit: the reference of the task that ran Ray Train, which has ended or been cancelled. Controllers end with it.
    """
    deadline = time.monotonic() + _WAIT_S
    ray.wait([fit], timeout=_WAIT_S)
    while True:
        controllers = {name: row for name, row in actors().items() if row["ActorClassName"] == _CONTROLLER}
        ours = [name for name, row in controllers.items() if row["JobID"] == ray.get_runtime_context().get_job_id()]
        for group in map(Group.FromString, state._connect_and_get_accessor().get_placement_group_table()):
            if group.creator_actor_id.hex() in ours and group.state != Group.REMOVED:
                remove_placement_group(PlacementGroup(ray.PlacementGroupID(group.placement_group_id)))
        if all(controllers[name]["State"] == "DEAD" for name in ours) or time.monotonic() > deadline:
            return
        time.sleep(0.05)
