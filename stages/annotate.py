"""Annotate: what is known of a video, from all its sources, as timed events on its timeline. video -> events, 1:N."""

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, field_validator

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables import ANNOTATION
from stages.annotations.encodings import DETECT
from stages.annotations.event_lines import Event
from stages.annotations.repair import are_milliseconds
from stages.annotations.sources import (
    Known,
    Track,
    read_conversations,
    read_event_file,
    read_events,
    read_subtitles,
)
from stages.annotations.text import AnnotationError
from workers.fetch.access import Access
from workers.fetch.fetcher import read_bytes
from workers.fetch.redaction import redacted, scrub_secrets
from workers.storage import Store

READS = pa.schema(
    [
        ("video_id", pa.string()),
        ("sha256", pa.string()),
        ("duration_s", pa.float64()),
        ("events", pa.string()),
        ("subtitles", pa.list_(pa.string())),
        ("events_file", pa.string()),
        ("annotation_stamp", pa.string()),
        ("conversations", pa.string()),
    ]
)
TRACKS: tuple[Track, ...] = ("speech", "caption", "scene")
_MAX_DETAIL = 500


class AnnotateConfig(StageConfig):
    """Where events come from and what becomes of those that don't fit."""

    subtitle_languages: tuple[str, ...] = ("en",)
    """Languages in the order they are wanted ("en" takes "en-GB" too). Where a video has none of them, a file that
    names no language is used, then any. One language a video: others say the same again."""
    sentence_gap_s: float = Field(1.0, ge=0, le=10)
    """Subtitle cues at most this far apart are joined where a sentence goes on."""
    max_sentence_chars: int = Field(240, ge=20, le=5000)
    """Joining stops here."""
    instant_s: float = Field(1.0, gt=0, le=60)
    """How long an event lasts that ends where it starts."""
    encoding: str = DETECT
    """Encoding of annotation files that are neither UTF-8 nor marked as something else: a codec of Python, such as
    `cp1251`, or `detect`, which finds it from the text and the language in the file's name and flags the video. A file
    whose encoding cannot be told is bad; with `utf-8` all such files are."""
    max_file_bytes: int = Field(64 << 20, ge=1)
    """A larger annotation file is bad."""
    max_events: int = Field(50_000, ge=1)
    """More events of one video are bad: what writing questions costs grows faster than their number."""
    on_bad: Literal["reject", "skip"] = "reject"
    """A file that cannot be read: `reject` the video, naming file and line (it was named in the manifest, so it is
    counted on), or `skip` the file and use what else there is; a video whose every source is bad is rejected still."""
    # Reads a few kilobytes of text: waits more than it works.
    resources: Resources = Resources(cpus=0.5, workers=(1, 2))

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, name: str) -> str:
        if name != DETECT:
            try:
                "a".encode(name)
            except LookupError:
                raise ValueError("give `detect` or the name of a text encoding that Python knows") from None
        return name


def annotate(
    unit: dict[str, Any], config: AnnotateConfig, store: Store, access: Access = Access()
) -> Iterator[pa.Table]:
    """One row of ANNOTATION; its events sorted by time, conversations last.

    Times are cut to the video; an event that lies wholly outside it is left out and counted.
    Raises Reject("bad_annotation") that names the file and the line.
    """
    rows: list[Event] = []
    flags: set[str] = set()
    bad: list[str] = []
    for source, where, read in _sources(unit, config, access):
        try:
            known = read()
        except AnnotationError as error:
            bad.append(f"{where}: {error}" if where else str(error))
            if config.on_bad == "reject":
                raise _reject(bad) from None
            continue
        events, in_milliseconds = _in_seconds(known.events, unit["duration_s"])
        rows += [{**event, "source": source} for event in events]
        flags.update((*known.flags, *(["events_in_milliseconds"] if in_milliseconds else [])))
    if bad and not rows:
        raise _reject(bad)
    if len(rows) > config.max_events:
        raise _reject([f"{len(rows)} events, above annotate.max_events = {config.max_events}"])
    inside = [row for row in rows if _is_inside(row, unit["duration_s"])]
    outside = len(rows) - len(inside)
    row = {
        "video_id": unit["video_id"],
        "events": _finish(inside, unit, config),
        "annotation_flags": sorted(flags | ({"events_outside_video"} if outside else set())),
        "events_outside_video": outside,
    }
    yield pa.Table.from_pylist([row], ANNOTATION)


def _reject(bad: list[str]) -> Reject:
    return Reject("bad_annotation", "; ".join(bad)[:_MAX_DETAIL])


def _sources(
    unit: dict[str, Any], config: AnnotateConfig, access: Access
) -> Iterator[tuple[str, str, Callable[[], Known]]]:
    """Each source of the video: its name, how a message names it, and a function that reads it."""
    if text := unit["events"]:
        yield "manifest", "events of the manifest", lambda: read_events(text.encode())
    if path := unit["events_file"]:
        name = _shown_name(path)
        yield "events_file", name, lambda: read_event_file(_read(path, config, access), config.encoding)
    if unit["subtitles"]:
        yield "subtitles", "", lambda: _read_subtitles(unit["subtitles"], config, access)
    if conversations := unit["conversations"]:
        where = "conversations of the manifest"
        yield "conversations", where, lambda: read_conversations(conversations.encode())


def _read_subtitles(paths: Iterable[str], config: AnnotateConfig, access: Access) -> Known:
    """What the files say in the one language that is used; of speech, of what is to be seen and of chapters apart."""
    files: list[tuple[str, Known]] = []
    first_error = None
    for path in dict.fromkeys(paths):
        name = posixpath.basename(path)
        try:
            data = _read(path, config, access)
            options = (config.encoding, config.sentence_gap_s, config.max_sentence_chars)
            files.append((PurePosixPath(name).stem, read_subtitles(data, name, *options)))
        except AnnotationError as error:
            first_error = first_error or AnnotationError(f"{_shown_name(path)}: {error}")
            if config.on_bad == "reject":
                raise first_error from None
    if first_error and not files:
        raise first_error
    not_text = [known for _, known in files if known.track == "data"]
    used = [known for track in TRACKS for known in _one_language(files, track, config.subtitle_languages)]
    flags = {flag for known in [*used, *not_text] for flag in known.flags}
    return Known([event for known in used for event in known.events], tuple(flags))


def _one_language(files: list[tuple[str, Known]], track: str, wanted: tuple[str, ...]) -> list[Known]:
    """The files of the first language wanted that is there; of one text in two formats the first."""
    by_language: dict[str, dict[str, Known]] = {}
    for stem, known in files:
        if known.track == track and known.events:
            by_language.setdefault(known.language, {}).setdefault(stem, known)

    def rank(language: str) -> tuple[int, int]:
        fits = [i for i, w in enumerate(wanted) if language == w.lower() or language.startswith(f"{w.lower()}-")]
        return (fits[0] if fits else len(wanted)), bool(language)

    return list(by_language[min(by_language, key=rank)].values()) if by_language else []


def _in_seconds(events: list[Event], duration_s: float) -> tuple[list[Event], bool]:
    """Events with times in seconds, and whether they were milliseconds."""
    timed = [event for event in events if event["start_s"] is not None]
    if not are_milliseconds([(event["start_s"], event["end_s"]) for event in timed], duration_s):
        return events, False
    return [{**event, **{name: event[name] / 1000 for name in ("start_s", "end_s")}} for event in timed], True


def _is_inside(row: Event, duration_s: float) -> bool:
    if row["start_s"] is None:
        return True
    return row["start_s"] < duration_s and (row["end_s"] > 0 or row["start_s"] >= 0)


def _finish(rows: list[Event], unit: dict[str, Any], config: AnnotateConfig) -> list[Event]:
    """Events with their ids and with times that lie in the video."""
    finished: dict[str, Event] = {}
    for row in rows:
        if row["start_s"] is not None:
            start = max(0.0, row["start_s"])
            end = row["end_s"] if row["end_s"] > start else start + config.instant_s
            is_point = row.get("is_point") is True or end > row["end_s"]
            row = {**row, "start_s": start, "end_s": min(end, unit["duration_s"]), "is_point": is_point}
        # The source is left out: an event that two sources tell of in the same words is one event.
        told = json.dumps([unit["video_id"], row["start_s"], row["end_s"], row["kind"], row["text"]])
        event_id = hashlib.sha256(told.encode()).hexdigest()[:16]
        finished.setdefault(event_id, {**row, "video_id": unit["video_id"], "event_id": event_id})
    return sorted(finished.values(), key=_order)


def _order(row: Event) -> tuple:
    timed = row["start_s"] is not None
    return (not timed, row["start_s"] or 0.0, row["end_s"] or 0.0, row["kind"], row["text"])


def _shown_name(path: str) -> str:
    """A file's name for a message: long ones in part."""
    name = posixpath.basename(redacted(path))
    return name if len(name) <= 100 else f"{name[:60]}...{name[-30:]}"


def _read(address: str, config: AnnotateConfig, access: Access) -> bytes:
    """A file on a local path, s3:// or gs://. Raises AnnotationError where it is absent, too large or not readable."""
    try:
        return read_bytes(address, config.max_file_bytes, access)
    except Reject as rejected:
        setting = " (annotate.max_file_bytes)" if rejected.reason == "too_large" else ""
        raise AnnotationError(scrub_secrets(rejected.detail, address) + setting) from None


def stage(config: AnnotateConfig, access: Access | None = None) -> Stage:
    """The declaration."""
    return Stage(
        name="annotate",
        reads=READS,
        writes=ANNOTATION,
        run=partial(annotate, access=access or Access(local_files=False)),
        config=config,
        passes="rows",
        version=3,
        # The stamp tells of a change in these files; where they lie makes no difference.
        located_by=("subtitles", "events_file"),
    )
