"""The Ray session of a build: the cluster it was submitted to, or one of this machine's own."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.data import DataContext

from pipeline.private_ray import private_options

# Rows are references, so the object store needs little; left alone, Ray takes a third of the machine's memory.
OBJECT_STORE_BYTES = 512 * 2**20


@contextmanager
def ray_session(num_cpus: int | None = None) -> Iterator[None]:
    """Connects to the cluster of RAY_ADDRESS (a submitted job has it), to a session that stands, or starts one."""
    started = not ray.is_initialized()
    if started:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
        if not os.environ.get("RAY_ADDRESS"):
            # Two cores at least, or a chain of pinned actors cannot run beside its tasks on a one-core machine.
            options |= {
                "num_cpus": num_cpus or max(2, os.cpu_count() or 1),
                "object_store_memory": OBJECT_STORE_BYTES,
                "include_dashboard": False,
                **private_options(),
            }
            # Ray Data's newer one loses fractions of a core to rounding: of two cores nearly one.
            os.environ.setdefault("RAY_DATA_CLUSTER_AUTOSCALER", "V2")
            # A worker waits longer than a second for its next unit: left alone, Ray ends it and starts another.
            os.environ.setdefault("RAY_idle_worker_killing_time_threshold_ms", "60000")
        # Ray's C++ log on the terminal says nothing a user could act on; what ends a build comes as an exception.
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        ray.init(**options)
    _set_data_context()
    try:
        yield
    finally:
        if started:
            ray.shutdown()


def _set_data_context() -> None:
    context = DataContext.get_current()
    # A unit yields nothing before its end and may take hours (a fetch, pictures that come one by one): the stages' own
    # limits end those. Resources that never come are found by `check_fits`.
    context.execution_no_progress_timeout_s = -1
    # A worker killed while it loads its weights is replaced, as one killed at work is.
    context.max_consecutive_actor_init_deaths = 10
    # Only an idle worker is given back: another one has to load its weights again.
    context.autoscaling_config.actor_pool_util_downscaling_threshold = 0.0
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # Fewer units than workers is how every phase ends.
    warnings.filterwarnings("ignore", message="The maximum number of concurrent tasks")
