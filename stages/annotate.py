"""Annotate: what is known of a video, from all its sources, as timed events on its timeline. video -> events, 1:N."""

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pyarrow import fs
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables import EVENT, TIMED_TEXT
from stages.annotations.conversations import ConversationError, parse_conversations
from stages.annotations.cues import join_sentences, merge_rolling
from stages.annotations.event_lines import EventError, parse_event, parse_event_lines
from stages.annotations.subtitles import SubtitleError, Subtitles, parse_subtitles
from stages.annotations.text import TextError
from workers.storage import Store

READS = pa.schema(
    [
        ("video_id", pa.string()),
        ("sha256", pa.string()),
        ("duration_s", pa.float64()),
        ("events", pa.list_(TIMED_TEXT)),
        ("subtitles", pa.list_(pa.string())),
        ("events_file", pa.string()),
        ("annotation_stamp", pa.string()),
        ("conversations", pa.string()),
    ]
)
BAD = (EventError, SubtitleError, ConversationError, TextError)
_LANGUAGE = re.compile(r"\.([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)$")
_LETTER = re.compile(r"[^\W\d_]")

Event = dict[str, Any]


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
    max_file_bytes: int = Field(64 << 20, ge=1)
    """A larger annotation file is bad."""
    on_bad: Literal["reject", "skip"] = "reject"
    """A file that cannot be read: `reject` the video, naming file and line (it was named in the manifest, so it is
    counted on), or `skip` the file and use what else there is; a video whose every source is bad is rejected still."""
    # Reads a few kilobytes of text: waits more than it works.
    resources: Resources = Resources(cpus=0.5, workers=(1, 2))


def annotate(unit: dict[str, Any], config: AnnotateConfig, store: Store) -> Iterator[pa.Table]:
    """One table of EVENT, sorted by time; conversations last.

    Times are cut to the video: an event that starts at or after its end is dropped, one that runs over it ends with it.
    Raises Reject("bad_annotation") that names the file and the line.
    """
    rows, bad = [], []
    for source, where, read in _sources(unit, config):
        try:
            rows += [{**event, "source": source} for event in read()]
        except BAD as error:
            bad.append(f"{where}: {error}")
            if config.on_bad == "reject":
                raise Reject("bad_annotation", bad[0]) from None
    if bad and not rows:
        raise Reject("bad_annotation", "; ".join(bad)[:1000])
    yield pa.Table.from_pylist(_finish(rows, unit, config), EVENT)


def _sources(unit: dict[str, Any], config: AnnotateConfig) -> Iterator[tuple[str, str, Any]]:
    """Each source of the video: its name, how a message names it, and a function that reads it."""
    if unit["events"]:
        yield "manifest", "events of the manifest", lambda: [parse_event(event) for event in unit["events"]]
    if path := unit["events_file"]:
        yield "events_file", posixpath.basename(path), lambda: parse_event_lines(_read(path, config))
    if unit["subtitles"]:
        yield "subtitles", "subtitles", lambda: _read_subtitles(unit["subtitles"], config)
    if text := unit["conversations"]:
        yield (
            "conversations",
            "conversations of the manifest",
            lambda: [
                {"start_s": None, "end_s": None, "kind": "conversation", "text": c} for c in parse_conversations(text)
            ],
        )


def _read_subtitles(paths: Iterable[str], config: AnnotateConfig) -> list[Event]:
    """Events of the files in the one language that is used, for speech and for visual descriptions apart."""
    files: dict[str, list[tuple[str, Subtitles]]] = {"speech": [], "caption": []}
    bad, first_error = [], None
    for path in dict.fromkeys(paths):
        try:
            subtitles = parse_subtitles(_read(path, config))
        except BAD as error:
            if config.on_bad == "reject":
                raise SubtitleError(f"{posixpath.basename(path)}: {error}") from None
            bad.append(path)
            first_error = first_error or SubtitleError(f"{posixpath.basename(path)}: {error}")
            continue
        described = subtitles.kind == "descriptions" or "descriptions" in posixpath.basename(path).lower()
        files["caption" if described else "speech"].append((path, subtitles))
    if first_error and not any(files.values()):
        raise first_error
    events = []
    for kind, parsed in files.items():
        for subtitles in _one_language(parsed, config.subtitle_languages):
            cues = join_sentences(merge_rolling(subtitles.cues), config.sentence_gap_s, config.max_sentence_chars)
            for cue in cues:
                # A clock or a number that runs through the picture is not spoken: it is to be seen.
                shown = kind if _LETTER.search(cue.text) else "caption"
                events.append({"start_s": cue.start_s, "end_s": cue.end_s, "kind": shown, "text": cue.text})
    return events


def _one_language(parsed: list[tuple[str, Subtitles]], wanted: tuple[str, ...]) -> list[Subtitles]:
    """The files of the first language wanted that is there; of one text in two formats the first."""
    by_language: dict[str, dict[str, Subtitles]] = {}
    for path, subtitles in parsed:
        stem = Path(posixpath.basename(path)).stem
        named = _LANGUAGE.search(stem)
        language = (named[1] if named else subtitles.language).lower().replace("_", "-")
        by_language.setdefault(language, {}).setdefault(stem, subtitles)

    def rank(language: str) -> tuple[int, int]:
        fits = [i for i, w in enumerate(wanted) if language == w.lower() or language.startswith(f"{w.lower()}-")]
        return (fits[0] if fits else len(wanted)), bool(language)

    return list(by_language[min(by_language, key=rank)].values()) if by_language else []


def _finish(rows: list[Event], unit: dict[str, Any], config: AnnotateConfig) -> list[Event]:
    duration = unit["duration_s"]
    finished: dict[str, Event] = {}
    for row in rows:
        if row["start_s"] is not None:
            if row["start_s"] >= duration:
                continue
            end = row["end_s"] if row["end_s"] > row["start_s"] else row["start_s"] + config.instant_s
            row = {**row, "end_s": min(end, duration)}
        # The source is left out: an event that two sources tell of in the same words is one event.
        told = json.dumps([unit["video_id"], row["start_s"], row["end_s"], row["kind"], row["text"]])
        event_id = hashlib.sha256(told.encode()).hexdigest()[:16]
        finished.setdefault(event_id, {**row, "video_id": unit["video_id"], "event_id": event_id})
    return sorted(finished.values(), key=_order)


def _order(row: Event) -> tuple:
    timed = row["start_s"] is not None
    return (not timed, row["start_s"] or 0.0, row["end_s"] or 0.0, row["kind"], row["text"])


def _read(path: str, config: AnnotateConfig) -> bytes:
    """A file on a local path, s3:// or gs://. Raises TextError where it is absent, too large or cannot be read."""
    filesystem, inner = fs.FileSystem.from_uri(path) if "://" in path else (fs.LocalFileSystem(), path)
    try:
        info = filesystem.get_file_info(inner)
        if info.type != fs.FileType.File:
            raise TextError("no such file")
        if info.size > config.max_file_bytes:
            raise TextError(f"has {info.size} bytes, above {config.max_file_bytes} (annotate.max_file_bytes)")
        with filesystem.open_input_stream(inner) as stream:
            return stream.read()
    except OSError as error:
        # The message of the file system would tell paths and addresses of this machine.
        raise TextError(
            f"cannot be read: {os.strerror(error.errno) if error.errno else type(error).__name__}"
        ) from None


def stage(config: AnnotateConfig) -> Stage:
    """The declaration."""
    return Stage(
        name="annotate",
        reads=READS,
        writes=EVENT,
        run=annotate,
        config=config,
        passes="path",
        # The stamp tells of a change in these files; where they lie makes no difference.
        located_by=("subtitles", "events_file"),
    )
