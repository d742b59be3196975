"""The origins of annotations: file, row, format and licence of events and of the pairs derived from them."""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.rows import EventRow, PairOriginRow, Row
from stages.annotations.text import AnnotationError, format_value

_MOST_CHARS = 300
_MOST_ROW = 2**53
SOURCES = ("manifest", "events_file", "subtitles", "conversations")
"""Values of the column `source` of events; any other is the name of a model."""
FIELDS = ("file", "row", "format", "licence")


def parse_origin(raw: Any) -> Row:
    """Checks the `origin` of an event or a conversation, and returns it without absent or null fields.

    Raises AnnotationError that names the field.
    """
    if not isinstance(raw, dict):
        raise AnnotationError(f"origin = {format_value(raw)}: must be an object with some of {', '.join(FIELDS)}")
    origin: Row = {}
    for name in FIELDS:
        value = raw.get(name)
        if value is None:
            continue
        if name == "row":
            if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MOST_ROW:
                raise AnnotationError(f"origin.row = {format_value(value)}: must be a number from 1 on")
        elif not isinstance(value, str):
            raise AnnotationError(f"origin.{name} = {format_value(value)}: must be text")
        else:
            value = printable(relative(value) if name == "file" else value)
        origin[name] = value
    return origin


def relative(name: str) -> str:
    """Returns the name of a file without its folder: the last part of an absolute path or an address."""
    parts = name.replace("\\", "/")
    is_absolute = parts.startswith(("/", "~")) or ":" in parts.split("/")[0] or ".." in parts.split("/")
    return posixpath.basename(parts.rstrip("/")) if is_absolute else parts


def printable(text: str) -> str:
    """Returns a text without unprintable characters, cut to 300 characters."""
    return "".join(c for c in text if c.isprintable())[:_MOST_CHARS]


def with_row(event: Row, row: int) -> Row:
    """Returns the event with the number of its row in its own file, unless its origin is another file."""
    return {**event, "origin": event.get("origin") or {"row": row}}


def merged_origins(events: Iterable[EventRow]) -> list[PairOriginRow]:
    """Returns rows of PAIR_ORIGIN, one per file, for the rows of EVENT from which a pair was derived."""
    found: dict[tuple[str | None, ...], set[int]] = {}
    for event in events:
        origin: Mapping[str, Any] = event.get("origin") or {}
        key = (event.get("source"), *(origin.get(name) for name in ("file", "format", "licence", "prompt")))
        rows = found.setdefault(key, set())
        if row := origin.get("row"):
            rows.add(row)
    ordered = sorted(found.items(), key=lambda item: [(value is None, value or "") for value in item[0]])
    return [
        PairOriginRow(source=source, file=file, format=form, licence=licence, prompt=prompt, rows=sorted(rows))
        for (source, file, form, licence, prompt), rows in ordered
    ]


def origin_columns(events: Iterable[EventRow]) -> Row:
    """Returns the columns `annotations`, `models` and `prompts` of a QA pair that is derived from rows of EVENT."""
    annotations = merged_origins(events)
    return {
        "annotations": annotations,
        "models": sorted({a["source"] for a in annotations if a["source"] and a["source"] not in SOURCES}),
        "prompts": [prompt for a in annotations if a["prompt"] for prompt in a["prompt"].split("+")],
    }
