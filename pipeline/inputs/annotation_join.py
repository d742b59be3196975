"""Joins annotation files of data sets to the videos of a manifest, by their ids."""

import json
import math
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from pydantic import TypeAdapter

from pipeline.inputs.annotation_files import read_files
from pipeline.inputs.join_report import MAX_EXAMPLES, JoinReport, SourceReport
from pipeline.inputs.manifest import SPLIT, video_id_of, write_manifest
from pipeline.inputs.manifest_rows import ManifestError, Row
from pipeline.inputs.video_ids import VideoIndex, meanings_of, video_of_file
from stages.annotations.event_lines import parse_event_lines
from stages.annotations.formats.entry import Entry, Origin
from stages.annotations.formats.entry import Row as Told
from stages.annotations.formats.read import FORMATS
from stages.annotations.origin import relative
from stages.annotations.reasons import NOTED, REPAIRED
from stages.annotations.repair import Event, origin_fields, repair
from stages.annotations.text import AnnotationError
from workers.fetch.redaction import format_value

_BUCKETS = 128
_ENTRY = TypeAdapter(Entry)


def write_joined_manifest(
    rows: list[Row],
    path: Path,
    files: Iterable[Path],
    format_name: str = "",
    only_annotated: bool = False,
    licences: Sequence[str] = (),
) -> JoinReport:
    """Writes a manifest of the rows with what annotation files tell of them.

    Events go to `<video_id>.events.jsonl` in a folder named after the manifest, beside it; what was repaired or left
    out of each video, to `report.jsonl` there.

    Args:
        files: annotation files, or folders of them.
        format_name: of all of them; "": found from their content.
        only_annotated: leave out the rows that no file names.
        licences: one for all of the files, or one for each; none: not known.
    """
    join = AnnotationJoin(rows, path.absolute().with_suffix(".annotations"))
    try:
        join.read(files, format_name, licences)
        if only_annotated and not any(source.joined for source in join.report.sources):
            ids = ", ".join(map(format_value, join.report.unknown_ids)) or "there are none"
            raise ManifestError(f"--only-annotated: no video has an id of the annotation files, such as {ids}")
        joined = join.rows()
        join.report.written = write_manifest((row for row, is_named in joined if is_named or not only_annotated), path)
    finally:
        join.close()
    return join.report


class AnnotationJoin:
    """Reads annotation files, and gives the manifest's rows with what they tell.

    What is read lies on the disk, in buckets of neighbouring rows; a bucket at a time is held in memory.

    Args:
        rows: of the manifest, with id and uri.
        folder: where events files and the report go.
    """

    def __init__(self, rows: list[Row], folder: Path) -> None:
        self._rows, self._folder = rows, folder
        self._index = VideoIndex(str(row["id"]) for row in rows)
        self._labels: dict[str, str] = {}
        self._unknown: set[int] = set()
        self._spool = Path(tempfile.mkdtemp(prefix="longvid-join-"))
        self.report = JoinReport(videos=len(rows))

    def read(self, files: Iterable[Path], format_name: str = "", licences: Sequence[str] = ()) -> None:
        """Reads files, and those in folders; `licences`: one for all, or one for each.

        Raises ManifestError for an unknown format, and for a file or folder that was named and of which nothing can be
        read; a file that lies in a folder is left out and reported.
        """
        if format_name and format_name not in FORMATS:
            known = ", ".join(sorted(FORMATS))
            raise ManifestError(f"--annotation-format {format_value(format_name)}: use one of {known}")
        files = list(files)
        each = licences if len(licences) == len(files) else [*licences, ""][:1] * len(files)
        with ExitStack() as stack:
            buckets = [stack.enter_context((self._spool / str(n)).open("w", encoding="ascii")) for n in range(_BUCKETS)]
            for named, licence in zip(files, each, strict=True):
                if not named.exists():
                    raise ManifestError(f"{named}: no such file or folder of annotations")
                source = SourceReport(named.name)
                self.report.sources.append(source)
                for path, read in read_files(named, format_name):
                    source.files += 1
                    formats: set[str] = set()
                    try:
                        for form, entries in read:
                            formats.add(form)
                            place = path.absolute().relative_to(named.absolute().parent)
                            origin = Origin(relative(place.as_posix()), 0, form, licence)
                            self._add(path, [_from(entry, origin) for entry in entries], source, buckets)
                        source.formats.update(formats)
                    except AnnotationError as error:
                        if path == named:
                            raise ManifestError(f"{path.name}: {error}") from None
                        source.add_unreadable(path.name, error)
                if source.is_unreadable():
                    reasons = source.unreadable_lines() or ["holds no files"]
                    raise ManifestError("\n".join(f"{named}: {reason}" for reason in reasons))

    def close(self) -> None:
        """Removes what has been read from the disk."""
        shutil.rmtree(self._spool, ignore_errors=True)

    def rows(self) -> Iterator[tuple[Row, bool]]:
        """The rows in their order, with what was told of them, and whether a file names them; writes events files."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "report.jsonl").open("w", encoding="utf-8") as report:
            for bucket in range(_BUCKETS):
                told: dict[int, list[Entry]] = {}
                with (self._spool / str(bucket)).open(encoding="ascii") as stream:
                    for line in stream:
                        number, entry = json.loads(line)
                        told.setdefault(number, []).append(_ENTRY.validate_python(tuple(entry)))
                (self._spool / str(bucket)).unlink()
                for number in range(*self._range(bucket)):
                    row = self._rows[number]
                    is_named = number in told
                    yield (self._joined(row, told[number], report) if is_named else self._alone(row)), is_named
        self.report.num_unknown = len(self._unknown)
        self.report.num_ambiguous = len(self._index.ambiguous)
        self.report.ambiguous_ids = sorted(self._index.ambiguous)[:MAX_EXAMPLES]

    def _add(self, path: Path, entries: list[Entry], source: SourceReport, buckets: Sequence[TextIO]) -> None:
        for entry in entries:
            if entry.labels:
                self._labels.update(entry.labels)
            elif not entry.video and not (entry.rows or entry.conversations):
                source.counts.update(entry.dropped)
            elif placed := self._find(entry._replace(video=entry.video or video_of_file(path.name))):
                number, entry = placed
                source.joined += 1
                buckets[number * _BUCKETS // len(self._rows)].write(json.dumps([number, entry]) + "\n")
            else:
                source.not_found += 1

    def _find(self, entry: Entry) -> tuple[int, Entry] | None:
        """The number of the entry's video and the entry in its times; None where it has no video here."""
        if (number := self._index.find(entry.video)) is not None:
            return number, entry
        if entry.clip_of and (number := self._index.find(entry.clip_of)) is not None:
            rows = [_shifted(row, entry.offset_s) for row in entry.rows]
            return number, entry._replace(rows=rows, duration_s=None)
        if entry.video in self._index.ambiguous:
            return None
        if hash(entry.video) not in self._unknown and len(self.report.unknown_ids) < MAX_EXAMPLES:
            self.report.unknown_ids.append(next(meanings_of(entry.video), entry.video))
        self._unknown.add(hash(entry.video))
        return None

    def _range(self, bucket: int) -> tuple[int, int]:
        """The first row of a bucket and the first one after it."""
        first, after = (-(-n * len(self._rows) // _BUCKETS) for n in (bucket, bucket + 1))
        return first, after

    def _alone(self, row: Row) -> Row:
        if len(self.report.without) < MAX_EXAMPLES:
            self.report.without.append(str(row["id"]))
        return row

    def _joined(self, row: Row, entries: list[Entry], report: TextIO) -> Row:
        told = [found for entry in entries for found in entry.rows]
        lengths = [entry.duration_s for entry in entries if entry.duration_s and entry.duration_s > 0]
        events, counts = repair([*told, *_beside(row)], max(lengths, default=None), self._labels)
        for entry in entries:
            counts.update(entry.dropped)
        told_turns = [(turns, entry.origin) for entry in entries for turns in entry.conversations]
        conversations = [turns for turns, _ in told_turns]
        splits = [entry.split for entry in entries if SPLIT.fullmatch(entry.split)]
        line: Row = {"id": row["id"], "events": len(events), "conversations": len(conversations)}
        for name, reasons in (("repaired", REPAIRED), ("noted", NOTED)):
            line[name] = {reason: counts[reason] for reason in reasons if counts[reason]}
        line["dropped"] = {r: n for r, n in sorted(counts.items()) if r not in (*REPAIRED, *NOTED)}
        report.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.report.add_video(len(events), len(conversations), counts)
        return {
            **row,
            "split": row.get("split") or next(iter(splits), None),
            "conversations": conversations,
            "conversation_origins": [origin_fields(origin) for _, origin in told_turns],
            "events_file": self._write(row, events) if events else row.get("events_file"),
        }

    def _write(self, row: Row, events: list[Event]) -> str:
        path = self._folder / f"{video_id_of(str(row['id']))}.events.jsonl"
        path.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events), encoding="utf-8")
        return str(path)


def _from(entry: Entry, origin: Origin) -> Entry:
    """The entry with the origin of its conversations and of each of its rows."""
    own = origin._replace(row=entry.record)
    return entry._replace(origin=own, rows=[row._replace(origin=own) for row in entry.rows])


def _shifted(row: Told, offset_s: float) -> Told:
    start, end = row.start_s, row.end_s
    return row._replace(
        start_s=None if start is None else start + offset_s, end_s=None if end is None else end + offset_s
    )


def _beside(row: Row) -> list[Told]:
    """The content of the events file beside the video, which is kept."""
    if not row.get("events_file"):
        return []
    path = Path(row["events_file"])
    try:
        events, _ = parse_event_lines(path.read_bytes())
    except AnnotationError as error:
        raise ManifestError(f"{path.name}: {error}") from None
    return [
        Told(
            e["start_s"],
            None if e["end_s"] == math.inf else e["end_s"],
            e["text"],
            e["kind"],
            e.get("is_point", False),
            origin=Origin(**{"file": path.name, "row": 0, "format": "events", **e["origin"]}),
        )
        for e in events
    ]
