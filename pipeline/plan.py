"""What a build would run, how much and why: found by looking, before anything runs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pipeline.engine.committed import State
from pipeline.engine.scan import DryRun, is_missing
from pipeline.inputs.manifest import MANIFEST_ROWS, iterate_manifest
from pipeline.inputs.recipe import Recipe, changed_fields, recorded_recipe
from pipeline.not_built import NotBuilt, require_built
from pipeline.phases import Phase, phases
from pipeline.tables.corpus_file import OtherFormat
from pipeline.tables.decoded import frames_decoded
from pipeline.tables.gather import gather
from pipeline.tables.workspace import Workspace, read_batches
from schemas.stage import Stage
from workers.endpoint.config import EndpointConfig
from workers.endpoint.ledger import cost_of, spent
from workers.storage.store import Store

# Of a unit whose stage has none yet, for a video or segment of five minutes: the order of magnitude only.
GUESSED_BYTES = {"decode": 9e6, "embed": 4e5, "distill": 3e7}
GUESSED_SMALL_BYTES = 2e4


@dataclass
class StagePlan:
    """One stage of a plan. Units whose number hangs on what is not done yet are counted in `later`."""

    stage: str
    done: int
    rejected: int
    run: int
    later: int
    bytes: int = 0
    why: str = ""
    frames_decoded: int = 0
    """Of decode: frames that the decoder was given for the units that are done."""
    frames_to_decode: int = 0
    """Of decode: what it will be given for the units to run, as their segments were planned."""
    cost: Counter[str] = field(default_factory=Counter)
    """Of what is to run, at the endpoint of models: `calls`, `tokens_in`, `tokens_out`, `minutes` of audio."""
    price: float = 0.0


def plan(corpus: str, recipe: Recipe, manifest: str | Path | None = None) -> list[StagePlan]:
    """Follows every unit as far as it is committed.

    Without `manifest`, that of the last build: as the corpus keeps it, so a file changed since then is not noticed.
    """
    store = Store(corpus)
    plans: list[StagePlan] = []
    waiting = {"": 0}
    stages = recipe.stages()
    with Workspace() as work:
        if manifest is None:
            put_recorded_manifest(work, store)
        else:
            rows = iterate_manifest(manifest, recipe.download)
            work.put("manifest", rows, MANIFEST_ROWS)
        for phase in phases(stages):
            scan, held_back = scan_phase(phase, work, store, assume_segments_done=True)
            stuck = waiting[phase.after]
            for stage in phase.stages:
                done, rejected, missing = (scan.counts[stage.name, state] for state in State)
                if stage.kind == "corpus":  # one unit over all videos: not before the last of them
                    stuck = min(1, stuck)
                    done, missing = (0, 0) if stuck else (done, missing)
                plans.append(StagePlan(stage.name, done=done, rejected=rejected, run=missing, later=stuck))
                stuck += missing
            if phase.name == "ingest":
                decode = next(entry for entry in plans if entry.stage == "decode")
                decode.frames_decoded, decode.frames_to_decode = frames_decoded(work)
            waiting[phase.name] = waiting[phase.after] + held_back
    _estimate(plans, stages, store)
    _estimate_costs(plans, stages, store, recipe.annotate.endpoint)
    explain(plans, stages, store)
    return plans


def _estimate(plans: list[StagePlan], stages: dict[str, Stage], store: Store) -> None:
    """Fills in `bytes`. Shards hold little but the tokens, so their number and size follow those of distill."""
    for entry in plans:
        stage = stages[entry.stage]
        entry.bytes = round((entry.run + entry.later) * _unit_bytes(stage, store)) if entry.run + entry.later else 0
    distill, pack = (next(entry for entry in plans if entry.stage == name) for name in ("distill", "pack"))
    if pack.later:
        pack.bytes = distill.bytes
        pack.later = max(1, round(distill.bytes / stages["pack"].config.model_dump()["shard_bytes"]))


def _estimate_costs(plans: list[StagePlan], stages: dict[str, Stage], store: Store, endpoint: EndpointConfig) -> None:
    """Fills in `cost` and `price`: what a unit has cost in this corpus so far, or else what its config expects."""
    before = spent(store)
    for entry in plans:
        expected = stages[entry.stage].config.expected_cost()
        units, so_far = entry.run + entry.later, before.get(entry.stage, Counter())
        if expected and units:
            unit = {n: v / entry.done for n, v in so_far.items()} if entry.done and so_far["calls"] else expected
            entry.cost = Counter({name: round(value * units) for name, value in unit.items()})
            entry.price = cost_of(entry.cost, endpoint)


def put_recorded_manifest(work: Workspace, store: Store) -> None:
    """The manifest that the corpus was last built from, into the workspace. Raises NotBuilt."""
    require_built(store, "manifest.parquet", "manifest.parquet")
    with store.open("manifest.parquet") as source:
        work.put("manifest", read_batches(source), MANIFEST_ROWS)


def scan_phase(phase: Phase, work: Workspace, store: Store, assume_segments_done: bool = False) -> tuple[DryRun, int]:
    """Scans a phase; what is finished becomes its table in the workspace. Gives the number of rows held back, too.

    With `assume_segments_done`, a segment that is not decoded or embedded yet is taken for one that is: questions about
    its video do not depend on that, and a selection over units that are not there is found missing, as it is.
    """
    scan, held_back = DryRun(phase, store), 0

    def passed() -> Iterator[pa.Table]:
        nonlocal held_back
        for _, left in scan(phase.inputs(work)):
            if any(is_missing(row) and not (assume_segments_done and row.get("segment_id")) for row in left):
                held_back += 1
            elif left:
                yield pa.Table.from_pylist(left, scan.schemas[-1])

    work.put(phase.name, passed(), scan.schemas[-1])
    gather(phase.name, work, store, publish=False)
    return scan, held_back


def explain(plans: list[StagePlan], stages: dict[str, Stage], store: Store) -> None:
    """Says why each stage runs: which fields changed, or after which stage."""
    try:
        before = {name: stage.config.semantic() for name, stage in recorded_recipe(store).stages().items()}
    except (NotBuilt, OtherFormat):
        before = {}
    first_changed = ""
    for entry in plans:
        if not entry.run and not entry.later:
            continue
        now = stages[entry.stage].config.semantic()
        changed = changed_fields(before.get(entry.stage, now), now, f"{stages[entry.stage].section or entry.stage}.")
        if changed:
            entry.why = ", ".join(changed)
        elif first_changed:
            entry.why = f"its inputs change with {first_changed}"
        else:
            entry.why = "not done yet" if entry.done else "new"
        first_changed = first_changed or (entry.stage if changed else "")


def _unit_bytes(stage: Stage, store: Store) -> float:
    """Mean size of the units this stage has made so far, whatever their config; a guess where there is none."""
    paths = (p for p in store.files(f"units/{stage.name}") if p.endswith(stage.suffix))
    sizes = [store.size(p) for p in islice(paths, 200)]
    return sum(sizes) / len(sizes) if sizes else GUESSED_BYTES.get(stage.name, GUESSED_SMALL_BYTES)
