"""Runs the ranks of a training run with Ray Train, and receives their reports.

Ray Train starts the ranks again where one was lost. An error of the code would come again, so the rank that meets it
says so, and the driver ends the run.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.queue import Empty, Queue

from pipeline.engine.compose import ClusterTooSmall
from pipeline.training.config import TrainConfig
from pipeline.training.messages import Ended, Failed, Started
from pipeline.training.reservations import free_reservations
from schemas.config import parse
from workers.storage.store import Store

TRACEBACK = "error.txt"
QUIET_S = 30
"""Seconds without a worker after which the user is told what the run is waiting for."""


class TrainingFailed(ValueError):
    """A run ended before its last step. The message is that of the failed worker, or the number of lost workers."""


def run_ranks(store: Store, config: TrainConfig, key: bytes, on_step: Callable[[dict[str, Any]], None]) -> None:
    """Trains to step `config.steps` in a Ray session, and calls `on_step` with each line of the log.

    Raises:
        ClusterTooSmall: the cluster has no room for the workers.
        TrainingFailed: a worker met an error, or workers were lost more often than `config.max_failures`.
    """
    check_fits(config)
    remove_records(store, config.folder)
    with _ranks(store, config, key) as reports:
        for report in reports:
            if isinstance(report, dict):
                on_step(report)
            elif isinstance(report, Failed):
                raise TrainingFailed(f"run {config.run}: {report.message}{_kept(store, config, report.traceback)}")
            elif isinstance(report, Ended) and report.lost:
                raise TrainingFailed(
                    f"run {config.run}: workers were lost more than train.max_failures = {config.max_failures} times, "
                    f"at last: {report.lost}. Run the same command again to go on from the last checkpoint"
                )


def remove_records(store: Store, folder: str) -> None:
    """Deletes what an earlier call has left in a run's folder besides its log and checkpoints. Raises PathError."""
    # Ray's own records of checkpoints may be damaged after a kill: the manifests decide what is complete. Ray would
    # write through a link, as a corpus of someone else may have in the place of each.
    for name in ("checkpoint_manager_snapshot.json", ".validate_storage_marker", TRACEBACK):
        store.delete(f"{folder}/{name}")


def _kept(store: Store, config: TrainConfig, traceback: str) -> str:
    path = f"{config.folder}/{TRACEBACK}"
    if not traceback:
        return ""
    with suppress(OSError):  # the disk itself may have failed
        store.write_bytes(path, traceback.encode())
    return f" (traceback: {path})"


def check_fits(config: TrainConfig) -> None:
    """Raises ClusterTooSmall if not all workers can be placed at once: Ray Train would wait forever."""
    need = {"CPU": config.cpus_per_worker} | ({"GPU": 1.0} if config.use_gpu else {})
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(int(min(node.get(name, 0) / amount for name, amount in need.items()) + 1e-6) for node in nodes)
    if room < config.workers:
        have = ", ".join(f"{sum(node.get(name, 0) for node in nodes):g} {name}s" for name in ("CPU", "GPU"))
        raise ClusterTooSmall(
            f"train.workers = {config.workers}, with cpus_per_worker = {config.cpus_per_worker:g} and use_gpu = "
            f"{str(config.use_gpu).lower()}: the cluster has room for {room} ({have}): add nodes (`min_workers` of a "
            "cluster that grows), or lower train.workers, train.cpus_per_worker or train.use_gpu"
        )


@contextmanager
def _ranks(store: Store, config: TrainConfig, key: bytes) -> Iterator[Iterator[Any]]:
    """Yields the reports of the ranks until the run has ended, and stops the ranks at the end of the block."""
    inbox = Queue(actor_options={"num_cpus": 0})
    environment = {name: value for name, value in os.environ.items() if name.startswith("RAY_TRAIN_")}
    options = {"runtime_env": {"env_vars": environment}} if environment else {}
    # A separate process: killing it also ends Ray Train's controller and the ranks, Ray Train cannot change the
    # driver's signal handlers, and the driver can exit at any time.
    fit = _fit.options(**options).remote(store, config.model_dump(mode="json"), key, inbox)
    try:
        yield _reports(fit, inbox, config)
    finally:
        ray.cancel(fit, force=True)
        inbox.shutdown(force=True)
        free_reservations(fit)


def _reports(fit: Any, inbox: Queue, config: TrainConfig) -> Iterator[Any]:
    quiet_s, started = 0, False
    while True:
        try:
            report = inbox.get(timeout=1)
        except Empty:
            quiet_s += 1
            if quiet_s == QUIET_S and not started:
                print(f"waiting for {config.workers} workers to start", flush=True)
            if ray.wait([fit], timeout=0)[0]:
                yield _died(fit)
                return
            continue
        started = True
        if isinstance(report, Started):
            continue
        yield report
        if isinstance(report, Ended):
            return


def _died(fit: Any) -> Failed | Ended:
    """Returns how the process that runs Ray Train ended, after it stopped without a message."""
    try:
        ray.get(fit)
    except RayTaskError as error:
        return Failed(message=_first_line(error.cause), traceback=str(error))
    except RayError as error:
        return Ended(lost=_first_line(error))
    return Ended()


def _first_line(error: object) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}"


@ray.remote(num_cpus=0, max_retries=0, max_calls=1)  # the controller ends with the process that has started it
def _fit(store: Store, config: dict[str, Any], key: bytes, inbox: Queue) -> None:
    """Runs Ray Train until the run has ended."""
    from ray.train import TrainingFailedError
    from ray.train.torch import TorchTrainer
    from ray.train.v2.api.config import FailureConfig, LoggingConfig, RunConfig, ScalingConfig

    from pipeline.training.rank import train_rank
    from pipeline.training.watchers import leave_out_watchers

    leave_out_watchers()
    parsed = parse(TrainConfig, config)
    run_config: Any = RunConfig(  # Ray's own annotations still ask for that of Train v1
        name=parsed.run,
        storage_path=store.full("train"),
        storage_filesystem=store.filesystem,
        failure_config=FailureConfig(max_failures=parsed.max_failures),
        logging_config=LoggingConfig(log_level="ERROR"),
    )
    trainer = TorchTrainer(
        train_rank,
        train_loop_config={"store": store, "config": config, "key": key, "inbox": inbox},
        scaling_config=ScalingConfig(
            num_workers=parsed.workers,
            use_gpu=parsed.use_gpu,
            resources_per_worker={"CPU": parsed.cpus_per_worker, **({"GPU": 1} if parsed.use_gpu else {})},
        ),
        run_config=run_config,
    )
    try:
        trainer.fit()
    except TrainingFailedError as error:
        failures = getattr(error, "worker_failures", {})
        inbox.put(Ended(lost=_first_line(next(iter(failures.values()), error))))
    else:
        inbox.put(Ended())
