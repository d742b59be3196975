"""Reads timed events in the project's own format: one object per event, in a JSONL file or in the manifest.

Events are not checked by a pydantic model: each error needs a code of `left_out.REASONS` and a message with the remedy,
and a field may not be given twice by its aliases, of which pydantic would silently take the first.
"""

import math
import re
from typing import Any

from schemas.rows import Row
from stages.annotations.encodings import DETECT, decode_text
from stages.annotations.json_text import load_json
from stages.annotations.left_out import LeftOut, summed
from stages.annotations.origin import parse_origin, with_row
from stages.annotations.text import AnnotationError, clean_text, format_value

ALIASES = {"start": "start_s", "end": "end_s", "caption": "text", "event": "text"}
TO_THE_END = "end"
KINDS = ("event", "scene", "chapter", "caption", "speech", "clip")
# What a time may look like that is no number; any other text may be of a file that holds no events.
_CLOCK = re.compile(r"[\d:.,; hms-]{1,20}")


class BadEvent(AnnotationError):
    """An event cannot be used; `reason` is one of `stages.annotations.left_out.REASONS`."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def parse_event(raw: Any) -> Row:
    """Checks an event and returns only start_s, end_s (seconds), kind, text, and is_point and origin if given.

    Only a `clip`, a row of a clip list, may have no text: it is a window of the video all the same.

    An end_s of "end" is that of the video, here infinity. Raises AnnotationError for a missing or wrong field, and for
    an event that ends before it starts.
    """
    if not isinstance(raw, dict):
        raise BadEvent("other_form", "an event is an object with start_s, end_s, kind and text")
    named: Row = {}
    for name, value in raw.items():
        if value is None:  # as a table of several sources has for the names that a source does not use
            continue
        target = ALIASES.get(name) or name
        if target in named:
            raise BadEvent("other_form", f"{name} says the same as another field: {target} is given twice")
        named[target] = value
    start = _seconds(named, "start_s")
    end = math.inf if named.get("end_s") == TO_THE_END else _seconds(named, "end_s")
    if end < start:
        told = f"end_s = {end:g} lies before start_s = {start:g}; swap or correct them"
        raise BadEvent("ends_before_start", told)
    kind = named.get("kind") or "event"
    if kind not in KINDS:
        raise BadEvent("other_form", f"kind = {format_value(kind)}: use one of {', '.join(KINDS)}")
    text = named.get("text") or ("" if kind == "clip" else None)
    if not isinstance(text, str) or not ((text := clean_text(text)) or kind == "clip"):
        raise BadEvent("no_text", f"text = {format_value(named.get('text'))}: must be what happens, in words")
    event: Row = {"start_s": start, "end_s": end, "kind": kind, "text": text}
    if named.get("origin") is not None:
        event["origin"] = parse_origin(named["origin"])
    if (is_point := named.get("is_point")) is None:
        return event
    if not isinstance(is_point, bool):
        raise BadEvent("other_form", f"is_point = {format_value(is_point)}: must be true or false")
    return {**event, "is_point": is_point}


def parse_events(text: str) -> tuple[list[Row], list[LeftOut]]:
    """Parses the events of a manifest's row, a JSON list; `origin` tells the number of each.

    A bad row of a clip list (kind `clip`) is left out, since each row of a list stands for itself. Raises
    AnnotationError for any other bad event, and if no event is left.
    """
    raw_events = load_json(text)
    if not isinstance(raw_events, list):
        raise AnnotationError("must be a list of events")
    events: list[Row] = []
    left_out: list[LeftOut] = []
    for number, raw in enumerate(raw_events, 1):
        try:
            events.append(with_row(parse_event(raw), number))
        except AnnotationError as error:
            if not (isinstance(raw, dict) and raw.get("kind") == "clip"):
                raise AnnotationError(f"event {number}: {error}") from None
            left_out.append(LeftOut(getattr(error, "reason", "no_text"), 1, f"row {number}: {error}"))
    if left_out and not events:
        raise AnnotationError(left_out[0].example)
    return events, summed(left_out)


def parse_event_lines(data: bytes, encoding: str = DETECT) -> tuple[list[Row], str]:
    """Parses the events of a JSONL file, and returns a flag of the video or "" as well; see `decode_text`.

    Each event has its line where its `origin` is no other file.

    Raises AnnotationError that names the line.
    """
    events: list[Row] = []
    videos: set[str] = set()
    text, flag = decode_text(data, encoding=encoding)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            raw = load_json(line)
            events.append(with_row(parse_event(raw), number))
        except AnnotationError as error:
            raise AnnotationError(f"line {number}: {error}") from None
        videos.add(format_value(raw.get("video")))
        if len(videos) > 1:
            names = " and ".join(sorted(videos))
            raise AnnotationError(f"line {number}: the file tells of several videos ({names}); make a file for each")
    return events, flag


def _seconds(named: Row, name: str) -> float:
    value = named.get(name)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer of more than 308 digits
        pass
    told = format_value(value) if not isinstance(value, str) or _CLOCK.fullmatch(value) else "a text"
    raise BadEvent("no_time", f"{name} = {told}: must be a number of seconds")
