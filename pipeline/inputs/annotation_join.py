"""Joins annotation files of data sets to the videos of a manifest by the ids of the videos."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from pydantic import TypeAdapter

from pipeline.inputs.annotation_files import Batches, read_files
from pipeline.inputs.annotation_rows import events_beside, shifted, with_origin
from pipeline.inputs.join_report import MAX_EXAMPLES, JoinReport, SourceReport
from pipeline.inputs.manifest_checks import SPLIT, video_id_of
from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.manifest_writer import write_manifest
from pipeline.inputs.spool import Spool
from pipeline.inputs.video_ids import VideoIndex, meanings_of, video_of_file
from schemas.rows import Row
from stages.annotations.formats.entry import Entry, Origin
from stages.annotations.formats.read import FORMATS
from stages.annotations.origin import relative
from stages.annotations.reasons import NOTED, REPAIRED
from stages.annotations.repair import origin_fields, repair
from stages.annotations.text import AnnotationError
from workers.fetch.redaction import format_value

_BUCKETS = 128
_ENTRY = TypeAdapter(Entry)


def write_joined_manifest(
    rows: list[Row],
    path: Path,
    files: Sequence[Path],
    format_name: str = "",
    only_annotated: bool = False,
    licences: Sequence[str] = (),
) -> JoinReport:
    """Writes a manifest of the rows with the annotations of the files, and returns what was joined.

    Events are written to `<video_id>.events.jsonl` in a folder named after the manifest, beside it; repaired and
    dropped rows are listed per video in `report.jsonl` there.

    Args:
        rows: rows of the manifest, with id and uri.
        path: path of the manifest.
        files: annotation files, or folders of them.
        format_name: format of all files; empty: detected from their content.
        only_annotated: whether to leave out rows that no file names.
        licences: one licence for all files, or one per file; empty: unknown.

    Raises:
        ManifestError: the format is unknown; a named file, or every file of a named folder, cannot be read; or no video
            would be written. Other files in a folder that cannot be read are reported.
    """
    if format_name and format_name not in FORMATS:
        known = ", ".join(sorted(FORMATS))
        raise ManifestError(f"--annotation-format {format_value(format_name)}: use one of {known}")
    with Spool() as spool:
        join = _AnnotationJoin(rows, path.absolute().with_suffix(".annotations"), spool)
        each = licences if len(licences) == len(files) else [*licences, ""][:1] * len(files)
        for named, licence in zip(files, each, strict=True):
            join.read(named, format_name, licence)
        if only_annotated and not any(source.joined for source in join.report.sources):
            ids = ", ".join(map(format_value, join.report.unknown_ids)) or "there are none"
            raise ManifestError(f"--only-annotated: no video has an id of the annotation files, such as {ids}")
        joined = join.rows()
        join.report.written = write_manifest((row for row, is_named in joined if is_named or not only_annotated), path)
    return join.report


class _AnnotationJoin:
    """Reads annotation files into the spool, whose buckets are ranges of rows, and joins one bucket at a time."""

    def __init__(self, rows: list[Row], folder: Path, spool: Spool) -> None:
        self._rows, self._folder, self._spool = rows, folder, spool
        self._index = VideoIndex(str(row["id"]) for row in rows)
        self._labels: dict[str, str] = {}
        self._unknown: set[int] = set()
        self.report = JoinReport(videos=len(rows))

    def read(self, named: Path, format_name: str, licence: str) -> None:
        """Reads a file, or all files of a folder. Raises ManifestError."""
        if not named.exists():
            raise ManifestError(f"{named}: no such file or folder of annotations")
        source = SourceReport(named.name)
        self.report.sources.append(source)
        for path, batches in read_files(named, format_name):
            source.files += 1
            place = relative(path.absolute().relative_to(named.absolute().parent).as_posix())
            try:
                source.formats.update(self._read_file(path, batches, Origin(place, 0, "", licence), source))
            except AnnotationError as error:
                if path == named:
                    raise ManifestError(f"{path.name}: {error}") from None
                source.add_unreadable(path.name, error)
        if source.is_unreadable():
            reasons = source.unreadable_lines() or ["the folder has no files"]
            raise ManifestError("\n".join(f"{named}: {reason}" for reason in reasons))

    def _read_file(self, path: Path, batches: Batches, origin: Origin, source: SourceReport) -> set[str]:
        formats = set()
        for form, entries in batches:
            formats.add(form)
            for entry in entries:
                self._add(path, with_origin(entry, origin._replace(format=form, row=entry.record)), source)
        return formats

    def rows(self) -> Iterator[tuple[Row, bool]]:
        """Yields the rows in order with their annotations, and whether a file names them; writes events files."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "report.jsonl").open("w", encoding="utf-8") as report:
            for bucket in range(_BUCKETS):
                found: dict[int, list[Entry]] = {}
                for number, entry in self._spool.read(bucket):
                    found.setdefault(number, []).append(_ENTRY.validate_python(tuple(entry)))
                for number in self._range(bucket):
                    row, is_named = self._rows[number], number in found
                    if not is_named and len(self.report.without) < MAX_EXAMPLES:
                        self.report.without.append(str(row["id"]))
                    yield (self._joined(row, found[number], report) if is_named else row), is_named
        self.report.num_unknown = len(self._unknown)
        self.report.num_ambiguous = len(self._index.ambiguous)
        self.report.ambiguous_ids = sorted(self._index.ambiguous)[:MAX_EXAMPLES]

    def _add(self, path: Path, entry: Entry, source: SourceReport) -> None:
        if entry.labels:
            self._labels.update(entry.labels)
        elif not entry.video and not (entry.rows or entry.conversations):
            source.counts.update(entry.dropped)
        elif placed := self._find(entry._replace(video=entry.video or video_of_file(path.name))):
            source.joined += 1
            self._spool.put(placed[0] * _BUCKETS // len(self._rows), placed)
        else:
            source.not_found += 1

    def _find(self, entry: Entry) -> tuple[int, Entry] | None:
        """Returns the number of the entry's video and the entry with times of this video; None if it is not here."""
        if (number := self._index.find(entry.video)) is not None:
            return number, entry
        if entry.clip_of and (number := self._index.find(entry.clip_of)) is not None:
            rows = [shifted(row, entry.offset_s) for row in entry.rows]
            return number, entry._replace(rows=rows, duration_s=None)
        if entry.video in self._index.ambiguous:
            return None
        if hash(entry.video) not in self._unknown and len(self.report.unknown_ids) < MAX_EXAMPLES:
            self.report.unknown_ids.append(next(meanings_of(entry.video), entry.video))
        self._unknown.add(hash(entry.video))
        return None

    def _range(self, bucket: int) -> range:
        """Returns the numbers of the rows in a bucket."""
        return range(*(-(-n * len(self._rows) // _BUCKETS) for n in (bucket, bucket + 1)))

    def _joined(self, row: Row, entries: list[Entry], report: TextIO) -> Row:
        found = [each for entry in entries for each in entry.rows]
        durations = [entry.duration_s for entry in entries if entry.duration_s and entry.duration_s > 0]
        events, counts = repair([*found, *events_beside(row)], max(durations, default=None), self._labels)
        for entry in entries:
            counts.update(entry.dropped)
        conversations = [(turns, entry.origin) for entry in entries for turns in entry.conversations]
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
            "conversations": [turns for turns, _ in conversations],
            "conversation_origins": [origin_fields(origin) for _, origin in conversations],
            "events_file": self._write(row, events) if events else row.get("events_file"),
        }

    def _write(self, row: Row, events: list[Row]) -> str:
        path = self._folder / f"{video_id_of(str(row['id']))}.events.jsonl"
        path.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events), encoding="utf-8")
        return str(path)
