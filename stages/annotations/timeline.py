"""Events with times of their own to rows of EVENT with times that lie in the video."""

import hashlib
import json
from collections.abc import Iterable

from schemas.rows import EventRow, Row
from stages.annotations.repair import are_milliseconds


def in_seconds(events: list[Row], duration_s: float) -> tuple[list[Row], bool]:
    """Returns events with times in seconds, and whether they were milliseconds."""
    timed = [event for event in events if event["start_s"] is not None]
    if not are_milliseconds([(event["start_s"], event["end_s"]) for event in timed], duration_s):
        return events, False
    return [{**event, **{name: event[name] / 1000 for name in ("start_s", "end_s")}} for event in timed], True


def is_inside(event: Row, duration_s: float) -> bool:
    """Returns whether an event overlaps [0, duration_s); events without times do."""
    if event["start_s"] is None:
        return True
    return bool(event["start_s"] < duration_s and (event["end_s"] > 0 or event["start_s"] >= 0))


def on_timeline(events: Iterable[Row], video_id: str, duration_s: float, instant_s: float) -> list[EventRow]:
    """Returns rows of EVENT by time, those without times last; what two sources tell in the same words stands once.

    Args:
        events: as parsed, with `source`, all of them inside the video.
        instant_s: how long an event lasts that ends where it starts.
    """
    rows: dict[str, EventRow] = {}
    for event in events:
        if event["start_s"] is not None:
            start = max(0.0, event["start_s"])
            end = event["end_s"] if event["end_s"] > start else start + instant_s
            is_point = event.get("is_point") is True or end > event["end_s"]
            event = {**event, "start_s": start, "end_s": min(end, duration_s), "is_point": is_point}
        # The source is left out: an event that two sources tell of in the same words is one event.
        told = json.dumps([video_id, event["start_s"], event["end_s"], event["kind"], event["text"]])
        event_id = hashlib.sha256(told.encode()).hexdigest()[:16]
        row = EventRow(
            video_id=video_id,
            event_id=event_id,
            start_s=event["start_s"],
            end_s=event["end_s"],
            kind=event["kind"],
            text=event["text"],
            source=event["source"],
            is_point=event.get("is_point"),
            origin=event["origin"],
        )
        rows.setdefault(event_id, row)
    return sorted(rows.values(), key=_order)


def _order(row: EventRow) -> tuple[bool, float, float, str, str]:
    timed = row["start_s"] is not None
    return (not timed, row["start_s"] or 0.0, row["end_s"] or 0.0, row["kind"], row["text"])
