"""Timed events as people write them: an object an event, in a JSONL file or inline in the manifest."""

import json
import math
from typing import Any

from stages.annotations.text import clean_text, decode_text

ALIASES = {"start": "start_s", "end": "end_s", "caption": "text", "event": "text"}
KINDS = ("event", "scene", "caption", "speech")

Event = dict[str, Any]


class EventError(ValueError):
    """An event that cannot be used. The message names the field, its value and the remedy."""


def parse_event(raw: Any) -> Event:
    """A checked event: start_s, end_s (seconds), kind, text. Fields of other names are left out.

    A time below zero counts as zero. Raises EventError for a missing or wrong field, and for one that ends before it
    starts.
    """
    if not isinstance(raw, dict):
        raise EventError(f"{str(raw)[:80]!r}: an event is an object with start_s, end_s, kind and text")
    named: Event = {}
    for name, value in raw.items():
        target = ALIASES.get(name) or name
        if target in named and value is not None:
            raise EventError(f"{name!r} says the same as another field: {target!r} is given twice")
        named[target] = value
    start, end = _seconds(named, "start_s"), _seconds(named, "end_s")
    if end < start:
        raise EventError(f"end_s = {end:g} lies before start_s = {start:g}; swap or mend them")
    kind = named.get("kind") or "event"
    if kind not in KINDS:
        raise EventError(f"kind = {kind!r}: use one of {', '.join(KINDS)}")
    text = named.get("text")
    if not isinstance(text, str) or not (text := clean_text(text)):
        raise EventError(f"text = {named.get('text')!r}: must be what happens, in words")
    return {"start_s": max(0.0, start), "end_s": max(0.0, end), "kind": kind, "text": text}


def parse_event_lines(data: bytes) -> list[Event]:
    """Events of a JSONL file. Raises EventError that names the line, TextError for binary data."""
    events, videos = [], set()
    for number, line in enumerate(decode_text(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
            events.append(parse_event(raw))
        except json.JSONDecodeError as error:
            raise EventError(f"line {number}: bad JSON: {error.msg} at column {error.colno}") from None
        except RecursionError:
            raise EventError(f"line {number}: bad JSON: nested too deeply") from None
        except EventError as error:
            raise EventError(f"line {number}: {error}") from None
        videos.add(str(raw.get("video")))
        if len(videos) > 1:
            raise EventError(f"line {number}: the file tells of several videos: {sorted(videos)}; make a file for each")
    return events


def _seconds(named: Event, name: str) -> float:
    value = named.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise EventError(f"{name} = {value!r}: must be a number of seconds")
    return float(value)
