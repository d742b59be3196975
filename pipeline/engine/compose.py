"""Runs a chain of stages with Ray Data: functions become tasks, worker classes actor pools, named after the stage.

Rows are small (ids, paths of units); the data is in units. A block has one row, so that the segments of a long video
are distributed over all workers, and a worker that crashes loses only its current unit.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, Dataset, TaskPoolStrategy
from ray.exceptions import RayTaskError

from pipeline.engine.chain import REJECTED, chain
from pipeline.engine.committed import Committed
from pipeline.engine.crash_counter import CrashCounter
from pipeline.engine.progress import Display
from pipeline.engine.progress_counter import ProgressCounter
from pipeline.engine.unit_runner import OUTCOMES, UnitRunner
from schemas.rejects import BuildStopped
from schemas.stage import Stage
from workers.storage.store import Store

# Field of Resources, Ray's name of it, Ray's units per unit of the field, and its name in messages.
_RESOURCES = (("cpus", "CPU", 1, "CPUs"), ("gpus", "GPU", 1, "GPUs"), ("memory_mb", "memory", 2**20, "MB of memory"))
# Rows per execution; bounds the memory of the driver and the object store for a corpus of any size.
EXECUTION_ROWS = 4096
# Ray Data fuses neighbouring stages that request the same resources into one task, which would process the segments of
# a video one after the other. Hence a stage after a fan-out requests one byte of memory more than its predecessor.
NOT_FUSED_BYTES = 1


class WorkerFailed(ValueError):
    """A worker could not start or not commit, so no unit of its stage can be made. The message is the worker's."""


class ClusterTooSmall(ValueError):
    """The cluster has too few resources to run all stages of a chain at once. The message says what to change."""


def run_chain(
    rows: Iterator[pa.Table],
    inputs: pa.Schema,
    stages: Sequence[Stage],
    store: Store,
    *,
    passthrough: Sequence[str],
    crashes: CrashCounter,
    display: Display,
) -> Iterator[pa.Table]:
    """Runs rows of the schema `inputs` through the stages; yields all output rows and rejected rows, in any order.

    The tables have the column `OUTCOMES` in addition to those of the chain.

    Raises:
        ClusterTooSmall: before anything runs.
        WorkerFailed: a worker could not start or not commit.
    """
    check_fits(stages)
    schemas = [schema.append(OUTCOMES) for schema in chain(inputs, stages, passthrough)]
    with _shown(display) as counter:
        for batch in _batches(rows, schemas[0]):
            # `from_arrow` would start one task per row.
            dataset: Dataset = ray.data.from_blocks([batch.slice(i, 1) for i in range(batch.num_rows)])
            dataset.context.target_max_block_size = 1  # byte, for one row per block, also after a fan-out
            extra_bytes = 0
            for stage, schema in zip(stages, schemas[1:], strict=True):
                runner = UnitRunner(Committed(stage, store, schema), crashes)
                dataset = _apply(dataset, runner, counter, extra_bytes)
                extra_bytes = NOT_FUSED_BYTES if stage.fan_out == "1:N" else 0
            yield from _results(dataset, schemas[-1])


def _results(dataset: Dataset, schema: pa.Schema) -> Iterator[pa.Table]:
    tables: Any = dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
    try:
        for table in tables:
            yield table.select(schema.names).cast(schema)
    except RayTaskError as error:
        raise WorkerFailed(_innermost(error)) from error


def _innermost(error: BaseException) -> str:
    while deeper := getattr(error, "cause", None) or error.__cause__:
        error = deeper
    kind = "" if isinstance(error, BuildStopped) else f"{type(error).__name__}: "
    # Ray Data appends advice on its own settings to the message.
    return f"{kind}{error}".partition("\nFailed to apply UDF")[0]


def _apply(dataset: Dataset, runner: UnitRunner, counter: ProgressCounter, extra_bytes: int) -> Dataset:
    stage, need = runner.committed.stage, runner.committed.stage.config.resources
    options: dict[str, Any] = {"num_cpus": need.cpus, "batch_size": 1, "batch_format": "pyarrow"}
    if need.gpus:
        options["num_gpus"] = need.gpus
    if memory := need.memory_mb * 2**20 + extra_bytes:
        options["memory"] = memory
    if stage.is_actor:
        options["compute"] = ActorPoolStrategy(
            min_size=need.workers[0], max_size=need.workers[1], max_tasks_in_flight_per_actor=2
        )
        return dataset.map_batches(_actor(runner, counter), **options)
    return dataset.map_batches(_task(runner, counter), compute=TaskPoolStrategy(size=need.workers[1]), **options)


def _task(runner: UnitRunner, counter: ProgressCounter) -> Callable:
    def task(table: pa.Table) -> Iterator[pa.Table]:
        runner.report = counter.add
        yield from runner(table)

    task.__name__ = runner.committed.stage.name
    return task


def _actor(runner: UnitRunner, counter: ProgressCounter) -> type:
    class Actor:
        def __init__(self) -> None:
            runner.report = counter.add
            for name in runner.committed.stage.imports:
                with suppress(Exception):  # raised again by the first unit, if there is one
                    import_module(name)

        def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
            yield from runner(table)

    Actor.__name__ = runner.committed.stage.name
    return Actor


def _batches(rows: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    for table in rows:
        for field in (REJECTED, OUTCOMES):
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
        table = table.select(schema.names)
        for start in range(0, table.num_rows, EXECUTION_ROWS):
            yield table.slice(start, EXECUTION_ROWS).cast(schema)


@contextmanager
def _shown(display: Display) -> Iterator[ProgressCounter]:
    """Yields a counter that a thread displays, since rows reach the driver only when their units are finished."""
    counter, over = ProgressCounter(), Event()

    def show() -> None:
        while not over.wait(display.every_s):
            display.update(counter.read())

    thread = Thread(target=show, daemon=True)
    thread.start()
    try:
        yield counter
    finally:
        over.set()
        thread.join()
        counter.close()


def check_fits(stages: Sequence[Stage]) -> None:
    """Raises ClusterTooSmall if a worker fits on no node, or if pinned actors leave no room for the other stages.

    Ray Data would wait forever.
    """
    for stage in stages:
        _check_worker(stage)
    have = ray.cluster_resources()
    pools = [s.config.resources for s in stages if s.is_actor]
    tasks = [s.config.resources for s in stages if not s.is_actor]
    for unit, name, size, called in _RESOURCES:
        pinned = sum(getattr(r, unit) * r.workers[0] for r in pools)
        need = pinned + max((getattr(r, unit) for r in tasks), default=0)
        if need * size > have.get(name, 0) + 1e-6:
            asked = ", ".join(
                f"{s.name} {s.config.resources.workers[0]} x {getattr(s.config.resources, unit)}" for s in stages
            )
            raise ClusterTooSmall(
                f"the stages need {need:g} {called} at least ({asked}), the cluster has {have.get(name, 0) / size:g}: "
                f"add nodes (`min_workers` of a cluster that grows), or lower <stage>.resources.{unit} or the first "
                "of <stage>.resources.workers"
            )


def _check_worker(stage: Stage) -> None:
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    need = [(getattr(stage.config.resources, unit) * size, name) for unit, name, size, _ in _RESOURCES]
    if not any(all(amount <= node.get(name, 0) + 1e-6 for amount, name in need) for node in nodes):
        asked = ", ".join(f"{unit} = {getattr(stage.config.resources, unit):g}" for unit, *_ in _RESOURCES)
        have = [", ".join(f"{n.get(name, 0) / size:g} {called}" for _, name, size, called in _RESOURCES) for n in nodes]
        raise ClusterTooSmall(
            f"{stage.section or stage.name}.resources: {asked}: no node has as much for one worker (they have "
            f"{'; '.join(dict.fromkeys(have))}): add such a node (`min_workers` of a cluster that grows), or lower them"
        )
