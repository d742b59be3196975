"""`longvid decontaminate`: which videos and questions of a corpus are in benchmarks.

Benchmarks are given as annotation files (ids, addresses, questions), as folders of videos, and as corpora. Videos are
found by id, by file (SHA-256) and by sequences of what they show, also where they were cut or sampled anew: the videos
of a folder are embedded for that as those of the corpus were. Questions are found by runs of words, and in other words
where `write_qa.text_model` names a sentence encoder. What is found is the table `contamination`; with `drop` the next
build leaves it out of the shards.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.decontamination.contents import Known, read_known
from pipeline.decontamination.folder import embedded_folder
from pipeline.decontamination.questions import questions_in_common, text_model
from pipeline.decontamination.sequences import has_frames, sequences_in_common
from pipeline.decontamination.sheet import check_sheet, write_sheet
from pipeline.inputs.recipe import Recipe, recorded_recipe
from pipeline.inputs.video_ids import meanings_of, names_of
from pipeline.not_built import require_tables
from pipeline.tables.catalog import open_catalog
from pipeline.tables.closed_duckdb import dict_rows
from pipeline.tables.corpus_file import CORPUS
from pipeline.tables.damage import naming
from pipeline.tables.frames import FRAMES
from pipeline.tables.left_out import CONTAMINATION_PATH
from pipeline.tables.published import is_published_only
from schemas.messages import counted
from schemas.rows import Row
from schemas.tables.qa import CONTAMINATION
from stages.qa.plan import CAPTIONS
from workers.fetch.redaction import format_value, redacted
from workers.storage.store import Store

_LEAST_KEY = 5
"""Characters of an id that says which video is meant: "1.mp4" does not."""
_GENERIC = {
    "watch",
    "video",
    "videos",
    "movie",
    "master",
    "index",
    "playlist",
    "manifest",
    "source",
    "original",
    "output",
}
"""Names of files that many addresses have."""

# "Describe the whole video", written by this software, says nothing of the video, and other corpora ask it as well.
_VIDEOS = """
    select video_id, name::varchar as name, uri::varchar as uri, sha256::varchar as sha256 from videos order by video_id
"""
_ASKED = """
    select video_id, name::varchar as name, qa_id, coalesce(question::varchar, '') as question,
        coalesce(options::varchar[], []) as options
    from qa join videos using (video_id) where not (list_contains(?, coalesce(form, '')) and len(options) = 0)
"""


def decontaminate(
    corpus: str,
    against: Sequence[str],
    drop: bool = False,
    sheet: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
    recipe: Recipe | None = None,
) -> list[Row]:
    """Writes the table `contamination` of a corpus; gives the rows that were found now.

    Rows of an earlier call stay in the table unless their `against` is named again.

    Args:
        corpus: that is looked at.
        against: annotation files, folders of videos or annotation files, and corpora.
        drop: have the next build leave out what was found.
        sheet: a CSV file to write the rows to as well.
        say: takes lines about what could not be compared.
        recipe: names the tower and the sentence encoder; by default that of the corpus, which a published one may lack.

    Raises NotBuilt, or ManifestError for something in `against` that cannot be read, ConfigError for `sheet`.
    """
    if sheet is not None:
        check_sheet(sheet)
    store = Store(corpus)
    require_tables(store, "videos", "qa")
    if recipe is None and store.exists(CORPUS):
        recipe = recorded_recipe(store)
    known = [read_known(named) for named in against]
    for one in known:
        for line in _not_compared(one):
            say(line)
    with open_catalog(corpus) as catalog:
        videos = [*dict_rows(catalog.sql(_VIDEOS))]
        rows = [row for one in known for row in _by_video(videos, one)]
        model = text_model(recipe, say) if any(one.questions for one in known) else ""
        rows += _by_question(dict_rows(catalog.sql(_ASKED, params=[list(CAPTIONS)])), known, model)
    names = {video["video_id"]: video["name"] for video in videos}
    for one in known:
        shown = _shown(store, one, recipe, say)
        rows += [_row(found, one, "sequence", name=names.get(found["video_id"])) for found in shown]
    rows = sorted(
        ({**row, "drop": drop} for row in rows), key=lambda row: [str(row[name]) for name in CONTAMINATION.names]
    )
    with naming(CONTAMINATION_PATH):
        read = store.read_table(CONTAMINATION_PATH, CONTAMINATION.names) if store.exists(CONTAMINATION_PATH) else None
        earlier = [] if read is None else read.cast(CONTAMINATION).to_pylist()
    kept = [row for row in earlier if row["against"] not in {one.name for one in known}]
    if replaced := len(earlier) - len(kept):
        say(f"replaced: {counted(replaced, 'find')} of an earlier call against {', '.join(one.name for one in known)}")
    store.write_tables(CONTAMINATION_PATH, [pa.Table.from_pylist([*kept, *rows], CONTAMINATION)], CONTAMINATION)
    if sheet is not None:
        write_sheet(rows, sheet)
    return rows


def _not_compared(known: Known) -> Iterator[str]:
    if known.unreadable:
        files = f"{counted(len(known.unreadable), 'file')}, e.g. {', '.join(map(format_value, known.unreadable[:3]))}"
        yield f"{known.name}: not compared, no annotations of a known form: {files}"
    if known.unread:
        told = ", ".join(f"{reason} {count}" for reason, count in sorted(known.unread.items()))
        yield f"{known.name}: rows whose questions were not compared: {told}"


def _shown(store: Store, known: Known, recipe: Recipe | None, say: Callable[[str], None]) -> Iterator[Row]:
    """Videos that show what those of a folder or corpus show, where both sides have frames to compare."""
    if not (known.corpus or known.folder):
        return
    both = [store, *map(Store, filter(None, [known.corpus]))]
    lacking = [f"{redacted(each.root)}: holds neither units nor {FRAMES}" for each in both if not has_frames(each)]
    if known.folder and recipe is None and not lacking:
        lacking = [f"{redacted(store.root)}: holds no corpus.json that names the tower: give the recipe by --recipe"]
    for why in lacking:
        say(f"{why}; its videos were compared with {known.name} by id, address and file, not by what they show")
    if lacking:
        return
    if known.corpus:
        yield from sequences_in_common(store, Store(known.corpus), say)
    elif recipe is not None:
        with embedded_folder(Path(known.folder), store, recipe, say) as other:
            yield from sequences_in_common(store, other, say)


def _by_video(videos: list[Row], known: Known) -> Iterator[Row]:
    keys: dict[str, str] = {}
    for name in sorted(known.ids):
        for key in _keys(name):
            keys.setdefault(key, name)
    for video in videos:
        if (same := known.files.get(video["sha256"])) is not None:
            yield _row({**video, "found": same, "score": 1.0}, known, "file")
        own = [key for name in (video["name"], video["uri"]) if name for key in _keys(name)]
        if (found := next((keys[key] for key in own if key in keys), None)) is not None:
            yield _row({**video, "found": found, "score": 1.0}, known, "id")


def _keys(name: str) -> Iterator[str]:
    """Yields the names of an id or address, except those that are too short or too common to identify a video."""
    keys = [*meanings_of(name), *(key for _, key in names_of(name) if "://" not in name)]
    for key in dict.fromkeys(keys):
        stem = key.rpartition(".")[0] or key
        if len(stem) >= _LEAST_KEY and stem.lower() not in _GENERIC:
            yield key


def _by_question(pairs: Iterable[Row], known: Sequence[Known], model: str) -> Iterator[Row]:
    for pair, one, question, score, found_by in questions_in_common(pairs, known, model):
        yield _row({**pair, "found": question[:300], "score": score}, one, found_by, qa_id=pair["qa_id"])


def _row(found: Row, known: Known, found_by: str, **more: Any) -> Row:
    told = {name: found.get(name) for name in CONTAMINATION.names}
    return {**told, "against": known.name, "found_by": found_by, "qa_id": None, **more}


def summary(rows: list[Row]) -> dict[str, tuple[int, int]]:
    """Returns the number of videos and of pairs by file or corpus and way of finding."""
    videos: dict[str, set] = defaultdict(set)
    pairs: dict[str, set] = defaultdict(set)
    for row in rows:
        key = f"{row['against']}: by {row['found_by']}"
        videos[key].add(row["video_id"])
        pairs[key] |= {row["qa_id"]} - {None}
    return {key: (len(videos[key]), len(pairs[key])) for key in sorted(videos)}


def what_follows(corpus: str, drop: bool) -> str:
    """Returns what happens to the finds: a build leaves them out, if told to and if there are units."""
    if is_published_only(Store(corpus)):
        return (
            "they stay in the shards, since without units nothing is built; leave out the samples whose qa_id, or "
            "whose video_id if qa_id is null, is in the table contamination"
        )
    return "the next build leaves them out of the shards" if drop else "they stay in the shards; --drop leaves them out"
