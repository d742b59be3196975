"""The videos of a folder, sampled and embedded as those of a corpus are, so that what both show can be compared."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.build import run_phase
from pipeline.decontamination.sequences import require_tower
from pipeline.engine.lock import only_build
from pipeline.inputs.addresses import fingerprint_addresses, manifest_folder
from pipeline.inputs.manifest import MANIFEST_ROWS, iterate_manifest
from pipeline.inputs.manifest_writer import make_manifest, write_manifest
from pipeline.inputs.recipe import Recipe, override
from pipeline.phases import phases
from pipeline.tables.corpus_file import describe
from pipeline.tables.frames import tower_name
from pipeline.tables.gather import gather, gather_rejects
from pipeline.tables.workspace import Workspace, read_batches
from workers.storage.files import TEMPORARY
from workers.storage.store import Store

_PHASES = ("ingest", "find_shots")
# No model is asked, and no file is left out for its length or place: the user has named the folder.
_SETTINGS = ["annotate.annotators=[]", "write_qa.realizer=templates", "download.root=''", "download.media=reference"]
_SETTINGS += ["shard.min_duration_s=0", "shard.max_duration_s=0"]
_NAMED = 5


@contextmanager
def embedded_folder(folder: Path, store: Store, recipe: Recipe, say: Callable[[str], None]) -> Iterator[Store]:
    """Yields a corpus of the videos of a folder, built up to `find_shots`; it is deleted when the block ends.

    It lies below the corpus that it is compared with, where all nodes can reach it. A call that is stopped leaves it
    there: the next call goes on, and the next build deletes it.

    Args:
        folder: of videos.
        store: of the corpus that they are compared with.
        recipe: how to sample and embed them; with the tower that the corpus was embedded by.
        say: takes lines for the user, one about the videos that cannot be used.

    Raises CorpusBusy while a build is at work in the corpus, ConfigError for another tower.
    """
    remedy = "give the recipe that the corpus was built with by --recipe or --set embed.tower"
    require_tower(store, tower_name(recipe.embed.tower), "the recipe's embed.tower", remedy)
    recipe = override(recipe, _SETTINGS)
    place = f"{TEMPORARY}/{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]}"
    with only_build(store):
        with TemporaryDirectory() as scratch:
            manifest = Path(scratch) / "manifest.jsonl"
            count = write_manifest(({"id": row["id"], "uri": row["uri"]} for row in make_manifest(folder)), manifest)
            rejected = _embed(manifest, Store(f"{store.root}/{place}"), recipe, say)
        if rejected:
            named = ", ".join(rejected[:_NAMED]) + (", ..." if len(rejected) > _NAMED else "")
            say(f"{folder.name}: {len(rejected)} of {count} videos were not compared by what they show: {named}")
        yield Store(f"{store.root}/{place}")
        store.delete_folder(place)


def _embed(manifest: Path, store: Store, recipe: Recipe, say: Callable[[str], None]) -> list[str]:
    """Runs the first phases of a build; gives the rejected videos with their reasons."""
    folder = manifest_folder(manifest)
    access = recipe.download.access(folder)
    with only_build(store), Workspace() as work, ExitStack() as session:
        work.put("manifest", iterate_manifest(manifest, recipe.download), MANIFEST_ROWS)
        given = read_batches(work.path("manifest"))
        kept = (fingerprint_addresses(table, recipe.download.ignored_parameters) for table in given)
        store.write_tables("manifest.parquet", kept, MANIFEST_ROWS)
        describe(store, recipe)
        for phase in phases(recipe.stages(access), folder, access):
            if phase.name in _PHASES:
                run_phase(phase, work, store, recipe, session, say)
                gather(phase.name, work, store, publish=False)
        gather_rejects([*_PHASES], work, store, publish=False)
        query = "select name, min(reason) as reason from rejects group by name order by name"
        return [f"{row['name']} ({row['reason']})" for row in work.rows(query)]
