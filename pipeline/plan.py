"""`longvid plan`: finds out by a dry-run scan what a build would run, how many units, and why."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pipeline.engine.committed import State
from pipeline.engine.earlier_versions import as_built
from pipeline.engine.scan import DryRun, is_missing
from pipeline.inputs.manifest import MANIFEST_ROWS, iterate_manifest
from pipeline.inputs.recipe import Recipe, changed_fields, recorded_recipe
from pipeline.not_built import NotBuilt, require_built
from pipeline.phases import Phase, phases
from pipeline.stage_plan import OTHER_SETTINGS, StagePlan
from pipeline.tables.corpus_file import OtherFormat
from pipeline.tables.damage import naming
from pipeline.tables.decoded import frames_decoded
from pipeline.tables.gather import gather
from pipeline.tables.workspace import Workspace, read_batches, to_tables, with_later_columns
from schemas.rows import Row
from schemas.stage import Stage
from stages.merge_captions import CAPTION_CHARS, CAPTIONS_PER_SEGMENT, MergeCaptionsConfig
from workers.endpoint.config import EndpointConfig
from workers.endpoint.ledger import cost_of, spent
from workers.storage.store import Store

# Assumed sizes of units of stages without any unit yet, for a video or segment of five minutes; orders of magnitude.
GUESSED_BYTES = {"decode": 9e6, "embed": 4e5, "distill": 3e7}
GUESSED_SMALL_BYTES = 2e4
_CAPTIONED = 50  # units of caption that are read to see how much a model tells


def plan(corpus: str, recipe: Recipe, manifest: str | Path | None = None) -> list[StagePlan]:
    """Scans all units of a corpus and returns one entry per stage.

    Args:
        corpus: root of the corpus.
        recipe: recipe of the build.
        manifest: manifest of the build. None: that of the last build as stored in the corpus, so changes of its files
            are not detected.
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
    """Fills in `bytes`. Shards consist mostly of tokens, so their number and size are derived from distill."""
    for entry in plans:
        stage = stages[entry.stage]
        entry.bytes = round((entry.run + entry.later) * _unit_bytes(stage, store)) if entry.run + entry.later else 0
    distill, pack = (next(entry for entry in plans if entry.stage == name) for name in ("distill", "pack"))
    if pack.later:
        pack.bytes = distill.bytes
        pack.later = max(1, round(distill.bytes / stages["pack"].config.model_dump()["shard_bytes"]))


def _estimate_costs(plans: list[StagePlan], stages: dict[str, Stage], store: Store, endpoint: EndpointConfig) -> None:
    """Fills in `cost` and `price`, from the mean cost per unit so far or else from the config's expectation."""
    before = spent(store)
    for entry in plans:
        config = stages[entry.stage].config
        expected = config.expected_cost()
        if isinstance(config, MergeCaptionsConfig):
            expected = config.cost_of(*_captions_per_video(plans, stages, store))
        units, so_far = entry.run + entry.later, before.get(entry.stage, Counter())
        if expected and units:
            unit = {n: v / entry.done for n, v in so_far.items()} if entry.done and so_far["calls"] else expected
            entry.cost = Counter({name: round(value * units) for name, value in unit.items()})
            entry.price = cost_of(entry.cost, endpoint)


def _captions_per_video(plans: list[StagePlan], stages: dict[str, Stage], store: Store) -> tuple[float, float]:
    """Returns the expected number of captions of a video, and of characters of a caption, from the captions so far."""
    entries = {entry.stage: entry for entry in plans}
    if "caption" not in entries:
        return 0.0, CAPTION_CHARS
    segments, videos = (
        entry.done + entry.run + entry.later for entry in (entries["caption"], entries["merge_captions"])
    )
    paths = islice((p for p in store.files(stages["caption"].folder) if p.endswith(".parquet")), _CAPTIONED)
    told = [store.read_table(path, ["kind", "text"]).to_pylist() for path in paths]
    texts = [len(row["text"]) for rows in told for row in rows if row["kind"] == "event"]
    per_segment = len(texts) / len(told) if told else CAPTIONS_PER_SEGMENT
    return per_segment * segments / max(1, videos), sum(texts) / len(texts) if texts else CAPTION_CHARS


def put_recorded_manifest(work: Workspace, store: Store) -> None:
    """Puts the manifest that the corpus was last built from into the workspace. Raises NotBuilt."""
    require_built(store, "manifest.parquet", "manifest.parquet")
    with naming("manifest.parquet"), store.open("manifest.parquet") as source:
        later = [MANIFEST_ROWS.field(name) for name in ("conversation_origins", "annotation_licence")]
        work.put("manifest", (with_later_columns(table, *later) for table in read_batches(source)), MANIFEST_ROWS)


def scan_phase(phase: Phase, work: Workspace, store: Store, assume_segments_done: bool = False) -> tuple[DryRun, int]:
    """Scans a phase and puts its finished rows into the workspace as its table.

    Args:
        phase: phase to scan.
        work: workspace with the tables of earlier phases.
        store: store of the corpus.
        assume_segments_done: whether segments that are not decoded or embedded yet count as finished. Questions about
            their video do not depend on that, and selections over missing units are still found to be missing.

    Returns:
        The scan, and the number of input rows that are not finished.
    """
    scan, held_back = DryRun(phase, store), 0

    def passed() -> Iterator[Row]:
        nonlocal held_back
        for _, left in scan(phase.inputs(work)):
            if any(is_missing(row) and not (assume_segments_done and row.get("segment_id")) for row in left):
                held_back += 1
            elif left:
                yield from left

    work.put(phase.name, to_tables(passed(), scan.schemas[-1]), scan.schemas[-1])
    gather(phase.name, work, store, publish=False)
    return scan, held_back


def explain(plans: list[StagePlan], stages: dict[str, Stage], store: Store) -> None:
    """Fills in `why`: which fields of the stage changed, or which earlier stage."""
    try:
        before = {name: stage.config.semantic() for name, stage in recorded_recipe(store).stages().items()}
    except (NotBuilt, OtherFormat):
        before = {}
    first_changed = ""
    for entry in plans:
        if not entry.run and not entry.later:
            continue
        stage = stages[entry.stage]
        now = stage.config.semantic()
        changed = changed_fields(before.get(entry.stage, now), now, f"{stage.section or entry.stage}.")
        if not changed and store.has_folder(f"units/{stage.name}") and not store.has_folder(stage.folder):
            built = as_built({stage.name: stage}, store).get(stage.name)
            changed = [f"version {built.version} -> {stage.version}" if built else OTHER_SETTINGS]
        if changed:
            entry.why = ", ".join(changed)
        elif first_changed:
            entry.why = f"its inputs change with {first_changed}"
        else:
            entry.why = "not done yet" if entry.done else "new"
        first_changed = first_changed or (entry.stage if changed else "")


def _unit_bytes(stage: Stage, store: Store) -> float:
    """Returns the mean size of the stage's existing units of any config; a guess if there are none."""
    paths = (p for p in store.files(f"units/{stage.name}") if p.endswith(stage.suffix))
    sizes = [store.size(p) for p in islice(paths, 200)]
    return sum(sizes) / len(sizes) if sizes else GUESSED_BYTES.get(stage.name, GUESSED_SMALL_BYTES)
