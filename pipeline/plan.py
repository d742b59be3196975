"""What a build would run, how much and why: found by looking, before anything runs."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pipeline.build import recorded_recipe
from pipeline.manifest import MANIFEST_ROWS, iterate_manifest
from pipeline.phases import Phase, phases
from pipeline.recipe import Recipe, changed_fields
from pipeline.tables import gather
from pipeline.walk import Walk, is_missing
from pipeline.workspace import Workspace, read_batches
from schemas.stage import Stage
from workers.storage import Store

# Of a unit whose stage has none yet, for a video or segment of five minutes: the order of magnitude only.
GUESSED_BYTES = {"decode": 9e6, "embed": 4e5, "distill": 3e7, "pack": 1e9}
GUESSED_SMALL_BYTES = 2e4


@dataclass
class StagePlan:
    """One stage of a plan. Units whose number hangs on what is not done yet are counted in `later`."""

    stage: str
    stand: int
    rejected: int
    run: int
    later: int
    bytes: int
    why: str


def plan(corpus: str, recipe: Recipe, manifest: str | Path | None = None) -> list[StagePlan]:
    """Follows every unit as far as it stands. Without `manifest`, the one the corpus was last built from."""
    store = Store(corpus)
    plans: list[StagePlan] = []
    waiting = 0
    stages = recipe.stages()
    with Workspace() as work:
        if manifest is None:
            put_recorded_manifest(work, store)
        else:
            work.put("manifest", iterate_manifest(manifest), MANIFEST_ROWS)
        for phase in phases(stages):
            walk, unfinished = look(phase, work, store)
            for stage in phase.stages:
                counts = {o: walk.counts[stage.name, o] for o in ("kept", "rejected", "missing")}
                later = 0 if stage.kind == "shard" and counts["missing"] else waiting
                todo = counts["missing"] + later
                size = int(todo * _unit_bytes(stage, store)) if todo else 0
                plans.append(
                    StagePlan(stage.name, counts["kept"], counts["rejected"], counts["missing"], later, size, "")
                )
                waiting += counts["missing"] if stage.kind == "video" else 0
            waiting = max(waiting, unfinished)
    explain(plans, stages, store)
    return plans


def put_recorded_manifest(work: Workspace, store: Store) -> None:
    """The manifest that the corpus was last built from, into the workspace."""
    with store.open("manifest.parquet") as source:
        work.put("manifest", read_batches(source), MANIFEST_ROWS)


def look(phase: Phase, work: Workspace, store: Store) -> tuple[Walk, int]:
    """Walks a phase; what is finished becomes its table in the workspace. Gives the number of unfinished rows too."""
    walk, unfinished = Walk(phase, store), 0

    def finished():
        nonlocal unfinished
        for _, left in walk(phase.inputs(work, store)):
            if any(is_missing(row) for row in left):
                unfinished += 1
            elif left:
                yield pa.Table.from_pylist(left, walk.schemas[-1])

    work.put(phase.name, finished(), walk.schemas[-1])
    gather(phase.name, work, store, publish=False)
    return walk, unfinished


def explain(plans: list[StagePlan], stages: dict[str, Stage], store: Store) -> None:
    """Says why each stage runs: which fields changed, or after which stage."""
    try:
        before = {name: stage.config.semantic() for name, stage in recorded_recipe(store).stages().items()}
    except FileNotFoundError:
        before = {}
    first_changed = ""
    for entry in plans:
        if not entry.run and not entry.later:
            continue
        now = stages[entry.stage].config.semantic()
        changed = changed_fields(before.get(entry.stage, now), now, f"{entry.stage}.")
        if changed:
            entry.why = ", ".join(changed)
        elif first_changed:
            entry.why = f"its inputs change with {first_changed}"
        else:
            entry.why = "not done yet" if entry.stand else "new"
        first_changed = first_changed or (entry.stage if changed else "")


def _unit_bytes(stage: Stage, store: Store) -> float:
    """Mean size of the units this stage has made so far, whatever their config; a guess where there is none."""
    paths = (p for p in store.files(f"units/{stage.name}") if p.endswith(stage.suffix))
    sizes = [store.size(p) for p in islice(paths, 200)]
    return sum(sizes) / len(sizes) if sizes else GUESSED_BYTES.get(stage.name, GUESSED_SMALL_BYTES)
