"""From the bytes of one source to events: all that is done with untrusted text, without files or a store."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

from stages.annotations.conversations import parse_conversations
from stages.annotations.cues import join_sentences, merge_rolling
from stages.annotations.event_lines import Event, parse_event_lines, parse_events
from stages.annotations.json_text import load_json
from stages.annotations.origin import parse_origin, with_row
from stages.annotations.subtitles import NOT_TEXT, Cue, Subtitles, parse_subtitles
from stages.annotations.text import AnnotationError

Track = Literal["speech", "caption", "chapter", "data"]

_LANGUAGE = re.compile(r"\.([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)$")
_WORD = re.compile(r"[^\W_]")
_LETTER = re.compile(r"[^\W\d_]")


class Known(NamedTuple):
    """What a source tells of a video."""

    events: list[Event]
    """start_s, end_s (null for conversations), kind and text. Times may lie outside the video."""
    flags: tuple[str, ...] = ()
    """Of the video: some of `schemas.flags.ANNOTATION_FLAGS`."""
    track: Track | Literal[""] = ""
    """Of subtitles: speech, caption (what is to be seen), chapter, or data, which is no text at all."""
    language: str = ""
    """Of subtitles, as the file's name or header has it, in small letters: "en-gb"."""

    def of(self, **origin: Any) -> "Known":
        """The same, with these fields of ORIGIN in each event that does not tell of others itself."""
        told = [{**event, "origin": {**origin, **(event.get("origin") or {})}} for event in self.events]
        return self._replace(events=told)


def read_events(data: bytes) -> Known:
    """Events that stand in the manifest's row, as a JSON list. This and the others raise AnnotationError."""
    return Known(parse_events(data.decode()))


def read_event_file(data: bytes, encoding: str) -> Known:
    """A JSONL file of events."""
    events, flag = parse_event_lines(data, encoding)
    return Known(events, (flag,) if flag else ())


def read_conversations(data: bytes) -> Known:
    """LLaVA conversations that stand in the manifest's row."""
    timeless: Event = {"start_s": None, "end_s": None, "kind": "conversation"}
    told = parse_conversations(data.decode())
    return Known([with_row({**timeless, "text": text}, number) for number, text in enumerate(told, 1)])


def read_subtitles(data: bytes, name: str, encoding: str, gap_s: float, max_chars: int) -> Known:
    """A subtitle file. Its name may say a language (`film.en.vtt`) and what it is of (`film.en.chapters.vtt`).

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
    told = [_event(cue, track) for cue in cues if _WORD.search(cue.text)]  # "--" says nothing
    return Known(told, subtitles.flags, track, language or subtitles.language)


def with_origins(known: Known, text: str | None) -> Known:
    """Conversations with the origins that the manifest has for them. Raises AnnotationError."""
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
    """What subtitle files say in one language; of speech, of what is to be seen and of chapters apart.

    Args:
        files: name or address, and what is known from it.
        wanted: languages in the order they are wanted; "en" takes "en-gb" too.
    """
    files = list(files)
    used = [known for _, known in files if known.track == "data"]  # tells of itself by a flag
    for track in ("speech", "caption", "chapter"):
        by_language: dict[str, dict[str, Known]] = {}
        for name, known in files:
            if known.track == track and known.events:
                # Of one text in two formats the first.
                by_language.setdefault(known.language, {}).setdefault(PurePosixPath(name).stem, known)
        if by_language:
            used += by_language[min(by_language, key=lambda language: _rank(language, wanted))].values()
    return Known([e for known in used for e in known.events], tuple({f for known in used for f in known.flags}))


def _rank(language: str, wanted: Sequence[str]) -> tuple[int, int]:
    """The first language wanted, then none that is named, then any."""
    fits = [i for i, w in enumerate(wanted) if language == w.lower() or language.startswith(f"{w.lower()}-")]
    return (fits[0] if fits else len(wanted)), bool(language)


def _track(stem: str, subtitles: Subtitles) -> Track:
    if not subtitles.cues and NOT_TEXT in subtitles.flags:
        return "data"
    if subtitles.kind == "chapters" or "chapters" in stem.split(".")[1:]:
        return "chapter"
    return "caption" if subtitles.kind == "descriptions" or "descriptions" in stem else "speech"


def _event(cue: Cue, track: Track) -> dict[str, Any]:
    # A clock or a number that runs through the frame is not spoken: it is to be seen.
    kind = "caption" if track == "speech" and not _LETTER.search(cue.text) else track
    return {"start_s": cue.start_s, "end_s": cue.end_s, "kind": kind, "text": cue.text}
