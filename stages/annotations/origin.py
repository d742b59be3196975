"""Where an annotation comes from: file, row, format and licence of events, and of the pairs that are made of them."""

import posixpath
from collections.abc import Iterable
from typing import Any

from stages.annotations.text import AnnotationError, format_value

Origin = dict[str, Any]
_MOST_CHARS = 300
_MOST_ROW = 2**53
SOURCES = ("manifest", "events_file", "subtitles", "conversations")
"""Values of the column `source` of events; any other is the name of a model."""
FIELDS = ("file", "row", "format", "licence")


def parse_origin(raw: Any) -> Origin:
    """The checked `origin` of an event or a conversation; fields that are absent or null are left out.

    Raises AnnotationError that names the field.
    """
    if not isinstance(raw, dict):
        raise AnnotationError(f"origin = {format_value(raw)}: must be an object with some of {', '.join(FIELDS)}")
    origin: Origin = {}
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
    """A file's name without the place where it lies: of an absolute path or an address, the last part."""
    parts = name.replace("\\", "/")
    is_absolute = parts.startswith(("/", "~")) or ":" in parts.split("/")[0] or ".." in parts.split("/")
    return posixpath.basename(parts.rstrip("/")) if is_absolute else parts


def printable(text: str) -> str:
    """A text without characters that no table or terminal shows, cut at 300 characters."""
    return "".join(c for c in text if c.isprintable())[:_MOST_CHARS]


def with_row(event: dict[str, Any], row: int) -> dict[str, Any]:
    """The event with the number of its row in its own file, where it does not tell of another one."""
    return {**event, "origin": event.get("origin") or {"row": row}}


def merged_origins(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of PAIR_ORIGIN: what a pair is made of, by file, from rows of EVENT."""
    found: dict[tuple[str | None, ...], set[int]] = {}
    for event in events:
        origin = event.get("origin") or {}
        key = (event.get("source"), *(origin.get(name) for name in ("file", "format", "licence", "prompt")))
        found.setdefault(key, set()).update({origin["row"]} if origin.get("row") else ())
    names = ("source", "file", "format", "licence", "prompt")
    ordered = sorted(found.items(), key=lambda item: [(value is None, value or "") for value in item[0]])
    return [{**dict(zip(names, key, strict=True)), "rows": sorted(rows)} for key, rows in ordered]
