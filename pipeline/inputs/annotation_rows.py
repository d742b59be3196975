"""Rows of annotations for the join: their origins, times of clips, and the events beside a video."""

import math
from pathlib import Path
from typing import Any

from pipeline.inputs.manifest_rows import ManifestError
from stages.annotations.event_lines import parse_event_lines
from stages.annotations.formats.entry import Entry, Origin, Row
from stages.annotations.text import AnnotationError


def with_origin(entry: Entry, origin: Origin) -> Entry:
    """Returns an entry whose rows and conversations have an origin."""
    return entry._replace(origin=origin, rows=[row._replace(origin=origin) for row in entry.rows])


def shifted(row: Row, offset_s: float) -> Row:
    """Returns a row whose times are later by some seconds."""
    start, end = (None if time is None else time + offset_s for time in (row.start_s, row.end_s))
    return row._replace(start_s=start, end_s=end)


def events_beside(video: dict[str, Any]) -> list[Row]:
    """Returns the events of the file beside the video, which are kept.

    Raises:
        ManifestError: the file holds something else than events.
        OSError: the file cannot be read.
    """
    if not video.get("events_file"):
        return []
    path = Path(video["events_file"])
    try:
        events, _ = parse_event_lines(path.read_bytes())
    except AnnotationError as error:
        raise ManifestError(f"{path.name}: {error}") from None
    return [
        Row(
            e["start_s"],
            None if e["end_s"] == math.inf else e["end_s"],
            e["text"],
            e["kind"],
            e.get("is_point", False),
            origin=Origin(**{"file": path.name, "row": 0, "format": "events", **e["origin"]}),
        )
        for e in events
    ]
