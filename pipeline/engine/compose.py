"""Puts a chain of stages on Ray Data: functions become tasks, worker classes actor pools, each by the stage's name.

Rows are small (ids, paths of units); payloads rest in units. A block holds one row, so that a ten-hour video's segments
spread over all workers and a worker that dies costs the unit it was at.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, Dataset, TaskPoolStrategy
from ray.exceptions import RayActorError, RayTaskError

from pipeline.engine.chain import REJECTED, chain
from pipeline.engine.progress import Display, Tally
from pipeline.engine.unit_runner import Commit
from schemas.rejects import BuildStopped
from schemas.stage import Stage
from workers.storage.store import Store

# A field of Resources, Ray's name for it, how many of Ray's one is, and what a message calls it.
_RESOURCES = (("cpus", "CPU", 1, "CPUs"), ("gpus", "GPU", 1, "GPUs"), ("memory_mb", "memory", 2**20, "MB of memory"))
# Rows of one execution: bounds what the driver and the object store hold, whatever the corpus' size.
WAVE_ROWS = 4096


class WorkerFailed(ValueError):
    """A worker could not start, or not commit: no unit of its stage can be done. The message is that of the worker."""


class ClusterTooSmall(ValueError):
    """The cluster cannot run all stages of a chain at once. The message says what to change."""


def run_chain(
    rows: Iterator[pa.Table],
    inputs: pa.Schema,
    stages: Sequence[Stage],
    store: Store,
    *,
    keeps: Sequence[str],
    run_id: str,
    max_crashes: int,
    display: Display,
) -> Iterator[pa.Table]:
    """Runs rows of the schema `inputs` through the stages; yields what leaves, rejected rows included, in any order."""
    check_fits(stages)
    schemas = chain(inputs, stages, keeps)
    with _shown(display) as tally:
        for wave in _waves(rows, schemas[0]):
            # `from_arrow` would start a task a row.
            dataset: Dataset = ray.data.from_blocks([wave.slice(i, 1) for i in range(wave.num_rows)])
            dataset.context.target_max_block_size = 1  # byte: a row a block, behind a stage that fans out too
            for before, stage, schema in zip([stages[0], *stages], stages, schemas[1:], strict=False):
                commit = Commit(stage, store, schema, run_id, max_crashes)
                dataset = _apply(dataset, commit, tally, after_fan_out=stage.kind != before.kind)
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


def _apply(dataset: Dataset, commit: Commit, tally, after_fan_out: bool) -> Dataset:
    stage, need = commit.stage, commit.stage.config.resources
    options: dict[str, Any] = {"num_cpus": need.cpus, "batch_size": 1, "batch_format": "pyarrow"}
    if need.gpus:
        options["num_gpus"] = need.gpus
    # Stages of equal needs are fused into one task: after a fan-out, that would do a whole video's segments alone.
    if memory := need.memory_mb * 2**20 + after_fan_out:
        options["memory"] = memory
    if inspect.isclass(stage.run):
        options["compute"] = ActorPoolStrategy(
            min_size=need.workers[0], max_size=need.workers[1], max_tasks_in_flight_per_actor=2
        )
        return dataset.map_batches(_actor(commit, tally), **options)
    return dataset.map_batches(_task(commit, tally), compute=TaskPoolStrategy(size=need.workers[1]), **options)


def _reporter(tally) -> Callable[[str, str], None]:
    """Counts a unit before its row goes on, so that a phase that is over has been counted whole."""

    def report(stage: str, outcome: str) -> None:
        with suppress(RayActorError):  # what is for the eye only ends no build
            ray.get(tally.add.remote(stage, outcome))

    return report


def _task(commit: Commit, tally) -> Callable:
    def task(table: pa.Table) -> Iterator[pa.Table]:
        commit.report = _reporter(tally)
        yield from commit(table)

    task.__name__ = commit.stage.name
    return task


def _actor(commit: Commit, tally) -> type:
    class Actor:
        def __init__(self) -> None:
            commit.report = _reporter(tally)

        def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
            yield from commit(table)

    Actor.__name__ = commit.stage.name
    return Actor


def _waves(rows: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    for table in rows:
        table = table.append_column(REJECTED, pa.nulls(table.num_rows, REJECTED.type)).select(schema.names)
        for start in range(0, table.num_rows, WAVE_ROWS):
            yield table.slice(start, WAVE_ROWS).cast(schema)


@contextmanager
def _shown(display: Display) -> Iterator[Any]:
    """A tally, and a thread that shows its counts while units are at work: rows reach the driver only at their end."""
    tally: Any = Tally.remote()  # type: ignore[attr-defined]
    over = Event()

    def update() -> None:
        try:
            display.update(ray.get(tally.read.remote()))
        except RayActorError:
            display.is_exact = False

    def show() -> None:
        while not over.wait(display.every_s):
            update()

    thread = Thread(target=show, daemon=True)
    thread.start()
    try:
        yield tally
    finally:
        over.set()
        thread.join()
    update()


def check_fits(stages: Sequence[Stage]) -> None:
    """Raises ClusterTooSmall where a worker fits on no node, or pinned actors leave the others no room: Ray Data would
    wait for ever."""
    for stage in stages:
        _check_worker(stage)
    have = ray.cluster_resources()
    pools = [s.config.resources for s in stages if inspect.isclass(s.run)]
    tasks = [s.config.resources for s in stages if not inspect.isclass(s.run)]
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
