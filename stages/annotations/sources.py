"""Parses the bytes of one source into events. This is all the code that handles untrusted text; it uses no files and
no store.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

from schemas.rows import Row
from stages.annotations.conversations import parse_conversations
from stages.annotations.cues import join_sentences, merge_rolling
from stages.annotations.event_lines import parse_event_lines, parse_events
from stages.annotations.json_text import load_json
from stages.annotations.left_out import LeftOut
from stages.annotations.origin import parse_origin, with_row
from stages.annotations.subtitles import NOT_TEXT, Cue, Subtitles, parse_subtitles
from stages.annotations.text import AnnotationError

Track = Literal["speech", "caption", "chapter", "data"]

_LANGUAGE = re.compile(r"\.([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)$")
_WORD = re.compile(r"[^\W_]")
_LETTER = re.compile(r"[^\W\d_]")


class Known(NamedTuple):
    """Holds the annotations of a video from one source."""

    events: list[Row]
    """The fields are start_s, end_s (null for conversations), kind and text. Times may be outside the video."""
    flags: tuple[str, ...] = ()
    """Flags of the video, from `schemas.flags.ANNOTATION_FLAGS`."""
    track: Track | Literal[""] = ""
    """The kind of subtitles: speech, caption (visible content), chapter, or data, which is not text."""
    language: str = ""
    """Language of subtitles from the file's name or header, in lower case: "en-gb"."""
    left_out: tuple[LeftOut, ...] = ()
    """Rows of a clip list and cues of subtitles that cannot be used."""

    def of(self, **origin: Any) -> "Known":
        """Returns a copy whose events have these fields of ORIGIN, unless they have values of their own."""
        told = [{**event, "origin": {**origin, **(event.get("origin") or {})}} for event in self.events]
        return self._replace(events=told)


def read_events(data: bytes) -> Known:
    """Parses the events in the manifest's row, a JSON list. This and the other functions raise AnnotationError."""
    events, left_out = parse_events(data.decode())
    return Known(events, left_out=tuple(left_out))


def read_event_file(data: bytes, encoding: str) -> Known:
    """Parses a JSONL file of events."""
    events, flag = parse_event_lines(data, encoding)
    return Known(events, (flag,) if flag else ())


def read_conversations(data: bytes) -> Known:
    """Parses the LLaVA conversations in the manifest's row."""
    timeless: Row = {"start_s": None, "end_s": None, "kind": "conversation"}
    told = parse_conversations(data.decode())
    return Known([with_row({**timeless, "text": text}, number) for number, text in enumerate(told, 1)])


def read_subtitles(data: bytes, name: str, encoding: str, gap_s: float, max_chars: int) -> Known:
    """Parses a subtitle file. Its name may contain a language (`film.en.vtt`) and a kind (`film.en.chapters.vtt`).

    Args:
        gap_s, max_chars: see `join_sentences`.
    """
    stem = PurePosixPath(name).stem
    named = _LANGUAGE.search(stem)
    language = named[1].lower().replace("_", "-") if named else ""
    subtitles = parse_subtitles(data, language, encoding)
    track, cues = _track(stem.lower(), subtitles), subtitles.cues
    if track != "chapter":
        cues = join_sentences(merge_rolling(cues), gap_s, max_chars)
    told = [_event(cue, track) for cue in cues if _WORD.search(cue.text)]  # not lines such as "--"
    return Known(told, subtitles.flags, track, language or subtitles.language, subtitles.left_out)


def with_origins(known: Known, text: str | None) -> Known:
    """Returns conversations with their origins from the manifest. Raises AnnotationError."""
    if not text:
        return known
    origins = load_json(text)
    if not isinstance(origins, list) or len(origins) != len(known.events):
        raise AnnotationError(
            f"conversation_origins of the manifest: must be a list of {len(known.events)}, one per conversation"
        )
    told = [
        {**e, "origin": parse_origin(origin) or e["origin"]} for e, origin in zip(known.events, origins, strict=True)
    ]
    return known._replace(events=told)


def in_one_language(files: Iterable[tuple[str, Known]], wanted: Sequence[str]) -> Known:
    """Returns the contents of subtitle files in one language, chosen separately for speech, captions and chapters.

    Args:
        files: pairs of name or address, and contents.
        wanted: languages in the order of preference; "en" includes "en-gb".
    """
    files = list(files)
    used = [known for _, known in files if known.track == "data"]  # its flag is kept
    for track in ("speech", "caption", "chapter"):
        by_language: dict[str, dict[str, Known]] = {}
        for name, known in files:
            if known.track == track and known.events:
                # If a text exists in two formats, use the first.
                by_language.setdefault(known.language, {}).setdefault(PurePosixPath(name).stem, known)
        if by_language:
            used += by_language[min(by_language, key=lambda language: _rank(language, wanted))].values()
    flags = {flag for known in used for flag in known.flags}
    left_out = tuple(each for known in used for each in known.left_out)
    return Known([e for known in used for e in known.events], tuple(flags), left_out=left_out)


def _rank(language: str, wanted: Sequence[str]) -> tuple[int, int]:
    """Sort key: preferred languages first, then files without a language, then any other language."""
    fits = [i for i, w in enumerate(wanted) if language == w.lower() or language.startswith(f"{w.lower()}-")]
    return (fits[0] if fits else len(wanted)), bool(language)


def _track(stem: str, subtitles: Subtitles) -> Track:
    if not subtitles.cues and NOT_TEXT in subtitles.flags:
        return "data"
    if subtitles.kind == "chapters" or "chapters" in stem.split(".")[1:]:
        return "chapter"
    return "caption" if subtitles.kind == "descriptions" or "descriptions" in stem else "speech"


def _event(cue: Cue, track: Track) -> Row:
    # A clock or a number shown in the frame is not speech but a caption.
    kind = "caption" if track == "speech" and not _LETTER.search(cue.text) else track
    return {"start_s": cue.start_s, "end_s": cue.end_s, "kind": kind, "text": cue.text}
