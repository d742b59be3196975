"""Builds a corpus: runs the videos of a manifest through all phases, except for units that are committed already."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pyarrow as pa

from pipeline.engine.crash_counter import RUNNING, CrashCounter
from pipeline.engine.lock import only_build
from pipeline.engine.scan import DryRun, split_done
from pipeline.engine.unit_runner import OUTCOMES
from pipeline.inputs.addresses import fingerprint_addresses, is_remote, manifest_folder
from pipeline.inputs.manifest import MANIFEST_ROWS, iterate_manifest
from pipeline.inputs.network_settings import check_network_settings, unused_environment
from pipeline.inputs.recipe import Recipe
from pipeline.phases import Phase, phases
from pipeline.tables.corpus_file import check_replaces, describe
from pipeline.tables.frames import gather_frames
from pipeline.tables.gather import gather, gather_rejects
from pipeline.tables.shard_record import drop_stale, gather_shards, note_planned
from pipeline.tables.workspace import Workspace, read_batches, to_tables
from schemas.tables import TABLES
from stages.download import FETCHING
from workers.storage.files import TEMPORARY
from workers.storage.store import Store


@dataclass
class Summary:
    """Holds the result of a build."""

    ran: Counter[str] = field(default_factory=Counter)
    """Number of units made by this build, by stage. A unit whose worker crashed directly after the commit is not
    counted."""
    rows: dict[str, int] = field(default_factory=dict)
    """Number of rows of each table."""
    rejects: Counter[str] = field(default_factory=Counter)
    """Number of rejected videos, by reason."""
    notes: list[str] = field(default_factory=list)
    """Messages about things that the user should look at, although nothing failed."""
    failures: list[str] = field(default_factory=list)
    """Units on which the code failed unexpectedly, with their errors. They do not count as rejected."""


# Of units that models were asked about: a note says why, since a video shows only that its segments were rejected.
_OF_MODELS = {
    "endpoint_cap": "{count} units were not asked for; raise it, and",
    "endpoint_failed": "the endpoint failed for {count} units;",
    "bad_answer": "the answers about {count} units cannot be used;",
}


def build(
    manifest: str | Path,
    corpus: str,
    recipe: Recipe,
    say: Callable[[str], None] = print,
    allow_removal: bool = False,
) -> Summary:
    """Builds or resumes a corpus.

    Args:
        manifest: path or address of the manifest.
        corpus: root of the corpus.
        recipe: settings of all stages.
        say: called with lines for the user.
        allow_removal: whether the manifest may leave out more than half of the videos in the corpus.

    Raises:
        CorpusBusy, ManifestError, ConfigError, ClusterTooSmall: before anything runs.
    """
    check_network_settings(recipe.download)
    recipe.check_models()
    store, folder = Store(corpus), manifest_folder(manifest)
    access = recipe.download.access(folder)
    with only_build(store), Workspace() as work, ExitStack() as session:
        work.put("manifest", iterate_manifest(manifest, recipe.download), MANIFEST_ROWS)
        if is_remote(folder) or work.count("select count(*) from manifest where uri like '%://%'"):
            for line in unused_environment(recipe.download):
                say(line)
        ignored, given = recipe.download.ignored_parameters, read_batches(work.path("manifest"))
        check_replaces(store, work, allow_removal)
        kept = (fingerprint_addresses(table, ignored) for table in given)
        store.write_tables("manifest.parquet", kept, MANIFEST_ROWS)
        describe(store, recipe)
        summary, done = Summary(), []
        for phase in phases(recipe.stages(access), folder, access):
            summary.ran += run_phase(phase, work, store, recipe, session, say)
            done.append(phase.name)
            gather(phase.name, work, store, publish=True)
            if phase.name == "find_shots":
                gather_frames(work, store, recipe.embed.tower)
        gather_rejects(done, work, store, publish=True)
        summary.notes += drop_stale(work, store)
        gather_shards(work, store, publish=True)
        for left_by_the_killed in (TEMPORARY, RUNNING, FETCHING):
            store.delete_folder(left_by_the_killed)
        _summarise(work, summary)
    return summary


def run_phase(
    phase: Phase,
    work: Workspace,
    store: Store,
    recipe: Recipe,
    session: ExitStack,
    say: Callable[[str], None],
) -> Counter[str]:
    """Runs what is missing of a phase and puts its results into the workspace; gives the units that were made by stage.

    Ray starts with the first phase that has something to do, and ends with `session`.
    """
    scan = DryRun(phase, store)
    leaves = scan.schemas[-1]
    with work.appending(f"{phase.name}_done", leaves) as take:
        todo = to_tables(split_done(scan, phase.inputs(work), take), phase.schema)
        missing = work.put(f"{phase.name}_todo", todo, phase.schema)
    done_before = read_batches(work.path(f"{phase.name}_done"))
    if not missing:
        work.put(phase.name, done_before, leaves)
        return Counter()
    if phase.name == "pack":
        note_planned(work, store)
    # Ray takes a second to import, and a build that has nothing to do or whose input is bad needs none of it.
    from pipeline.engine.cluster import ray_session
    from pipeline.engine.forked_workers import CHAIN

    # First, since the session imports Ray Data while it starts, which the next import needs.
    imports = [name for stage in phase.stages for name in stage.imports]
    session.enter_context(ray_session(imports=[*CHAIN, *imports]))
    from pipeline.engine.compose import run_chain
    from pipeline.engine.progress import Display

    say(f"{phase.name}: {' -> '.join(s.name for s in phase.stages)} for {missing} units")
    outcomes: Counter[tuple[str, str]] = Counter()
    with Display(phase.stages, missing) as display:
        ran = run_chain(
            read_batches(work.path(f"{phase.name}_todo")),
            phase.schema,
            phase.stages,
            store,
            passthrough=phase.passthrough,
            crashes=CrashCounter(store, uuid.uuid4().hex, recipe.max_crashes),
            display=display,
        )
        work.put(phase.name, chain(done_before, _counted(ran, outcomes)), leaves)
        display.update(outcomes)
    return Counter({stage.name: outcomes[stage.name, "done"] for stage in phase.stages})


def _counted(tables: Iterator[pa.Table], outcomes: Counter[tuple[str, str]]) -> Iterator[pa.Table]:
    """Removes the column of outcomes from the tables of a chain, and counts it by (stage, outcome)."""
    for table in tables:
        for rows in table[OUTCOMES.name].to_pylist():
            outcomes.update(tuple(outcome.split()) for outcome in rows or ())
        yield table.drop_columns(OUTCOMES.name)


def _summarise(work: Workspace, summary: Summary) -> None:
    summary.notes += _events_outside(work)
    for name in TABLES:
        summary.rows[name] = work.num_rows(name)
    asked: dict[str, list[str]] = {reason: [] for reason in _OF_MODELS}
    for row in work.rows("select * from rejects order by all"):
        if row["reason"] == "failed":
            summary.failures.append(f"{row['stage']}, {row['kind']} {row['unit']}: {row['detail']}")
        elif row["kind"] == "video":
            summary.rejects[row["reason"]] += 1
        if row["reason"] in asked:
            asked[row["reason"]].append(row["detail"])
    for reason, details in asked.items():
        if details:
            told = _OF_MODELS[reason].format(count=len(details))
            again = f"`longvid retry CORPUS --reason {reason}` has the next build"
            summary.notes.append(f"{Counter(details).most_common(1)[0][0]}: {told} {again} go on")


def _events_outside(work: Workspace) -> list[str]:
    """Returns a note on the videos whose events mostly lie outside of them, if there are any."""
    query = """
        select v.name, v.events_outside_video as outside, count(e.start_s)::int as inside
        from videos v left join events e using (video_id) where v.events_outside_video > 0
        group by all having outside > inside order by outside desc, v.name"""
    if not (found := [*work.rows(query)]):
        return []
    first = found[0]
    return [
        f"most events lie outside the video in {len(found)} of the videos, such as {first['name']} ({first['outside']} "
        f"of {first['outside'] + first['inside']} events): do the times come in milliseconds?"
    ]
