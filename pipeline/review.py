"""`longvid review`: draws pairs at random for people to judge, and takes their verdicts.

A pair that is judged wrong is left out of the shards by the next build. Where its annotation is wrong, so are all
pairs that were made from the same row. The verdicts are the table `reviews`; the share of right pairs that they show
is that of the corpus, within its interval, as long as the pairs were drawn at random.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.not_built import require_tables
from pipeline.review_sheet import VERDICTS, check_new, read_sheet, write_sheet, wrong_rows
from pipeline.show import sampled_frames
from pipeline.tables.catalog import open_catalog
from pipeline.tables.closed_duckdb import dict_rows
from pipeline.tables.column_types import type_problem
from pipeline.tables.damage import naming
from pipeline.tables.left_out import REVIEWED, REVIEWS_PATH, AnnotationRow, read_left_out, rows_of
from pipeline.tables.published import is_published_only
from pipeline.tables.reviewed import right_share
from schemas.config import ConfigError
from schemas.messages import counted
from schemas.rows import Row
from schemas.tables.qa import REVIEW
from stages.annotations.json_text import load_json
from stages.annotations.text import AnnotationError
from workers.storage.store import Store

FRAMES_PER_SPAN = 8
_MOST_SPANS = 20
_PAIR = "select qa_id, video_id, other_video_id, task, annotations"
_DRAWN = f"""
    {_PAIR}, coalesce(name, '') as video, coalesce(form, '') as form, question, options, answer, conversations,
        list_filter(coalesce(evidence, []), lambda s: s.start_s is not null and s.end_s is not null) as evidence
    from qa join videos using (video_id) where dropped is null order by md5(qa_id || ?), qa_id limit ?"""
_EVENTS = """
    select video_id, start_s, end_s, text, origin.file as file, origin.row as row
    from events where list_contains(?, video_id) and origin.row is not null order by video_id, start_s, end_s"""
_IN_SHARDS = f"{_PAIR} from qa where dropped is null or dropped = ?"
_JUDGED = f"{_PAIR} from qa where list_contains(?, qa_id)"


@dataclass(frozen=True)
class Verdicts:
    """Holds the numbers of one sheet: of pairs by verdict, and of what is left out."""

    judged: Counter[str]
    left_out: int
    wrong_rows: int
    is_published_only: bool
    """There are no units, so nothing can be built again."""

    def lines(self) -> Iterator[str]:
        """Yields the share of right pairs, with its interval of 95% (Wilson), and what follows."""
        told = ", ".join(f"{self.judged[verdict]} {verdict}" for verdict in VERDICTS)
        yield f"{counted(self.judged.total(), 'pair')} judged: {told}"
        yield f"right: {right_share([*self.judged.elements()])}"
        rows = f" and those made from {counted(self.wrong_rows, 'wrong row')} of annotations" if self.wrong_rows else ""
        if self.is_published_only:
            yield "the pairs stay in the shards, since there are no units to build from; leave out their qa_id"
        else:
            yield f"the next build leaves out {counted(self.left_out, 'pair')}: those judged wrong{rows}"


def draw(corpus: str, sheet: Path, count: int, seed: int = 0, frames: Path | None = None) -> int:
    """Writes a sheet of `count` pairs that are in the shards, drawn at random; returns their number.

    Args:
        corpus: its root.
        sheet: the CSV file; must not be there.
        count: of pairs; all of them, if there are fewer.
        seed: the same seed draws the same pairs.
        frames: a folder to write up to FRAMES_PER_SPAN sampled frames of each span of evidence to, as JPEG files named
            by the pair's number in the sheet and the time.

    Raises NotBuilt, CatalogError, or ConfigError for the sheet and the folder.
    """
    check_new(sheet)
    store = Store(corpus)
    _require(store, "qa", "videos", "events")
    with open_catalog(corpus) as catalog:
        pairs = [*dict_rows(catalog.sql(_DRAWN, params=[str(seed), count]))]
        pairs.sort(key=lambda pair: (pair["video"], pair["video_id"], [span["start_s"] for span in pair["evidence"]]))
        wanted = sorted({row[0] for pair in pairs for row in rows_of(pair)})
        texts: dict[AnnotationRow, list[str]] = {}
        for event in dict_rows(catalog.sql(_EVENTS, params=[wanted])):
            key = event["video_id"], event["file"] or "", event["row"]
            texts.setdefault(key, []).append(_with_time(event))
    told = [{**pair, "number": number, **_told(pair, texts)} for number, pair in enumerate(pairs, 1)]
    if frames is not None:
        _write_frames(store, pairs, frames)
    write_sheet(sheet, told)
    return len(told)


def _require(store: Store, *names: str) -> None:
    require_tables(store, *names)
    for problem in filter(None, (type_problem(store, name) for name in names)):
        raise ConfigError(problem)


def _with_time(event: Row) -> str:
    """Returns the text of an event after its time; captions of a whole video may have none."""
    has_time = event["start_s"] is not None and event["end_s"] is not None
    return (f"[{event['start_s']:.1f} to {event['end_s']:.1f} s] " if has_time else "") + str(event["text"])


def _told(pair: Row, texts: dict[AnnotationRow, list[str]]) -> Row:
    spans = ", ".join(f"{span['start_s']:.1f} to {span['end_s']:.1f} s" for span in pair["evidence"])
    rows = [(f"{file}:{row}" if file else str(row), texts.get((of, file, row), [])) for of, file, row in rows_of(pair)]
    return {
        "prompt": _prompt(pair),
        "evidence": spans,
        "annotations": "\n".join(f"{name} {' / '.join(told)}" for name, told in rows),
    }


def _prompt(pair: Row) -> str:
    """Returns what a model is asked, with options and transcript; of a pair in another form, its question."""
    try:
        return str(load_json(pair["conversations"])[0]["value"]).removeprefix("<image>\n")
    except (AnnotationError, LookupError, TypeError):
        return "\n".join([str(pair["question"]), *(pair["options"] or [])])


def _write_frames(store: Store, pairs: list[Row], folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"--frames {folder}: is not empty; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for number, pair in enumerate(pairs, 1):
        for span in pair["evidence"][:_MOST_SPANS]:
            shown = sampled_frames(store, pair["video_id"], span["start_s"], span["end_s"], FRAMES_PER_SPAN)
            for time_s, jpeg in shown.items():
                (folder / f"{number:04d}_{time_s:08.2f}s.jpg").write_bytes(jpeg)


def record(corpus: str, sheet: Path, say: Callable[[str], None] = lambda line: None) -> Verdicts:
    """Adds the verdicts of a sheet to the table `reviews`, in place of earlier ones on the same pairs.

    Raises NotBuilt, CatalogError, DamagedFile, and ConfigError or ManifestError for the sheet.
    """
    store = Store(corpus)
    _require(store, "qa")
    judged = {str(row["qa_id"]): (where, row) for where, row in read_sheet(sheet)}
    if not judged:
        raise ConfigError(f"{sheet}: has no verdict: write {', '.join(VERDICTS)} into the column verdict")
    with open_catalog(corpus) as catalog:
        known = {row["qa_id"]: row for row in dict_rows(catalog.sql(_JUDGED, params=[sorted(judged)]))}
        if not known:
            raise ConfigError(f"{sheet}: judges no pair of this corpus; give the corpus that it was drawn from")
        if gone := len(judged.keys() - known.keys()):
            say(f"{counted(gone, 'judged pair')} not recorded: no longer in the corpus")
        rows = [_row(known[qa_id], *judged[qa_id]) for qa_id in judged if qa_id in known]
        kept = [row for row in _earlier(store) if row["qa_id"] not in known]
        store.write_tables(REVIEWS_PATH, [pa.Table.from_pylist([*kept, *rows], REVIEW)], REVIEW)
        left_out = read_left_out(store)
        number = sum(
            left_out.reason(pair) == REVIEWED for pair in dict_rows(catalog.sql(_IN_SHARDS, params=[REVIEWED]))
        )
    judged_as = Counter(row["verdict"] for row in rows)
    return Verdicts(judged_as, number, len(left_out.wrong_rows), is_published_only(store))


def _row(pair: Row, where: str, judged: Row) -> Row:
    own = [*dict.fromkeys(rows_of(pair))]
    named = str(judged.get("wrong_rows") or "")
    wrong = wrong_rows(named, own, where) if named or judged["verdict"] == "source" else []
    return {
        **{name: pair[name] for name in ("video_id", "qa_id", "task")},
        "verdict": judged["verdict"],
        "wrong_rows": [dict(zip(("video_id", "file", "row"), row, strict=True)) for row in wrong],
        "remark": str(judged.get("remark") or "") or None,
    }


def _earlier(store: Store) -> list[Row]:
    if not store.exists(REVIEWS_PATH):
        return []
    with naming(REVIEWS_PATH):
        return store.read_table(REVIEWS_PATH, REVIEW.names).cast(REVIEW).to_pylist()
