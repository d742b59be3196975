"""`longvid verify`: reads all units, shards and tables of a corpus, and names the damaged ones."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.engine.earlier_versions import as_built
from pipeline.inputs.addresses import manifest_folder
from pipeline.inputs.manifest import MANIFEST_ROWS, iterate_manifest
from pipeline.inputs.recipe import Recipe, recorded_recipe
from pipeline.not_built import not_built
from pipeline.phases import Phase, phases
from pipeline.plan import put_recorded_manifest, scan_phase
from pipeline.tables.column_types import table_problem, table_problems
from pipeline.tables.damage import damage_of
from pipeline.tables.gather import gather_rejects
from pipeline.tables.published import is_published_only, samples_of
from pipeline.tables.shard_record import gather_shards
from pipeline.tables.workspace import Workspace
from pipeline.verify_media import media_problem
from schemas.stage import Stage
from schemas.tables import TABLES
from schemas.tables.shards import SAMPLE
from workers.shards.damage import find_damage
from workers.storage.store import Store


@dataclass
class Verdict:
    """Holds the result of reading a corpus."""

    units: int = 0
    """Number of units that were read."""
    shards: int = 0
    """Number of shards that were read."""
    media: int = 0
    """Number of media files that were read."""
    unread_media: int = 0
    """Number of videos that are referenced in place and were not read, since no given manifest names them."""
    is_published_only: bool = False
    """Whether the corpus consists of shards and tables only, so that units and media files were not checked."""
    problems: list[str] = field(default_factory=list)
    """Messages about everything that is wrong, each with the file and the remedy."""
    unbuilt: list[str] = field(default_factory=list)
    """Parts that an incomplete build has not written; they are reported as a problem as well."""
    notes: list[str] = field(default_factory=list)
    """Messages about stages whose units were made by an earlier version of them, which is no problem."""
    is_partial: bool = False
    """Whether units and media files were not checked, since this version does not follow what an earlier one made."""


def verify(corpus: str, manifest: str | Path | None = None) -> Verdict:
    """Checks that all committed units, shards, media files and tables are readable and agree with each other.

    Of a published corpus, only the shards and tables are checked.

    Args:
        corpus: root of the corpus.
        manifest: manifest that the corpus was built from. Without it, media files that are referenced in place are not
            read, since only the manifest contains their locations.
    """
    store, verdict = Store(corpus), Verdict()
    if is_published_only(store):
        return _verify_published(store, Verdict(is_published_only=True))
    recipe = recorded_recipe(store)
    stages = recipe.stages()
    built = as_built(stages, store)
    verdict.notes += [
        f"{name}: its units are of {_version(built.get(name))}, this longvid makes version {stage.version}"
        for name, stage in stages.items()
        if name not in built or built[name].version != stage.version
    ]
    if not verdict.notes:
        return _verify_built(store, recipe, stages, manifest, verdict)
    try:
        if len(built) == len(stages):
            return _verify_built(store, recipe, built, manifest, verdict)
    except (OSError, ValueError, KeyError, pa.ArrowException, duckdb.Error):
        pass  # this version no longer reads what an earlier one wrote
    verdict = _verify_published(store, Verdict(notes=verdict.notes, is_partial=True))
    verdict.notes.append("units and videos were not checked, since this longvid does not follow those of that version")
    return verdict


def _version(stage: Stage | None) -> str:
    return f"version {stage.version}" if stage else "another version, or of settings that have changed since"


def _verify_built(
    store: Store, recipe: Recipe, stages: Mapping[str, Stage], manifest: str | Path | None, verdict: Verdict
) -> Verdict:
    """Checks a corpus that was built by `stages`."""
    folder = "" if manifest is None else manifest_folder(manifest)
    access = recipe.download.access(folder)
    with Workspace() as work, ThreadPoolExecutor(8) as pool:
        put_recorded_manifest(work, store)
        given = iterate_manifest(manifest, recipe.download) if manifest is not None else ()
        work.put("given", given, MANIFEST_ROWS)
        chain = phases(stages)
        for phase in chain:
            damaged = list(
                filter(None, pool.map(lambda path: _unit(store, path), _committed(phase, work, store, verdict)))
            )
            verdict.problems += damaged
            if damaged:
                return verdict  # later phases read these units
        gather_rejects([phase.name for phase in chain], work, store, publish=False)
        tables = [name for name in TABLES if store.exists(f"tables/{name}.parquet")]
        unwritten = [name for name in TABLES if name not in tables]
        if unwritten and not verdict.notes:  # an earlier version may have had no such table
            verdict.unbuilt.append("the tables " + ", ".join(unwritten))
        gather_shards(work, store, publish=False)
        verdict.problems += _shards(store, work, verdict)
        media = pool.map(partial(media_problem, store, folder, access), _rows(work, "media", verdict))
        verdict.problems += filter(None, media)
        verdict.unread_media = work.count(_UNREAD)
        verdict.problems += filter(None, (_table(store, work, name) for name in tables))
        verdict.problems += table_problems(store, *TABLES)  # those beside them
        if verdict.unbuilt:
            verdict.problems.append(str(not_built(store, "; ".join(verdict.unbuilt))))
    return verdict


def _verify_published(store: Store, verdict: Verdict) -> Verdict:
    verdict.problems += table_problems(store, "samples")  # it is read below
    with Workspace() as work:
        problem = samples_of(store, work)
        verdict.problems += [problem] if problem else _shards(store, work, verdict)
    return verdict


def _committed(phase: Phase, work: Workspace, store: Store, verdict: Verdict) -> Iterator[str]:
    """Yields the paths of a phase's units; if a unit is too damaged to scan the phase, those of all existing units."""
    try:
        _, unfinished = scan_phase(phase, work, store)
    except (OSError, ValueError, pa.ArrowException):
        for stage in phase.stages:
            yield from (p for p in store.files(f"units/{stage.name}") if p.endswith(stage.suffix))
        return
    if unfinished:
        verdict.unbuilt.append(f"{phase.name}: {unfinished} of its inputs")
    for stage in phase.stages:
        column = f"{stage.name}_unit"
        units = work.table(phase.name).select(column).filter(duckdb.ColumnExpression(column).isnotnull())
        for table in work.read(units.distinct().sort(column), pa.schema([(column, pa.string())])):
            verdict.units += table.num_rows
            yield from table[column].to_pylist()


def _unit(store: Store, path: str) -> str | None:
    read = store.read_table if path.endswith(".parquet") else store.read_tensors
    return damage_of(path, partial(read, path))


_QUERIES = {
    "shards": "select distinct shard from samples order by 1",
    "media": "select name, media, v.sha256, m.uri from videos v left join given m using (video_id) "
    "where media is not null or m.uri is not null order by 1",
}
_UNREAD = "select count(*) from videos where media is null and video_id not in (select video_id from given)"


def _rows(work: Workspace, what: str, verdict: Verdict) -> Iterator[dict]:
    for row in work.rows(_QUERIES[what]):
        setattr(verdict, what, getattr(verdict, what) + 1)
        yield row


def _shards(store: Store, work: Workspace, verdict: Verdict) -> Iterator[str]:
    for row in _rows(work, "shards", verdict):
        query = "select * from samples where shard = ? order by sample_key, row"
        yield from find_damage(store, pa.concat_tables(work.sql(query, SAMPLE, [row["shard"]])))


def _table(store: Store, work: Workspace, name: str) -> str | None:
    path = f"tables/{name}.parquet"
    if problem := table_problem(store, name):
        return problem
    rows, expected = store.num_rows(path), work.num_rows(name)
    return None if rows == expected else f"{path}: {rows} rows, but the units hold {expected}. Run the build again."
