"""Merges clip lists, manifests with one row per clip, to one row per video."""

import zlib
from collections.abc import Iterator
from typing import Any

from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.spool import Spool
from schemas.rows import Row
from stages.annotations.event_lines import TO_THE_END
from stages.annotations.formats.entry import seconds
from workers.fetch.redaction import format_value

CLIP_COLUMNS = ("start_s", "end_s", "text")
_ADDRESS = ("uri", "path", "video")
_BUCKETS = 64


def merge_clips(rows: Iterator[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
    """Yields rows as written; after them, one row with events for all clips of one address.

    A row with a value in CLIP_COLUMNS is a clip. With `text` alone, it is a caption of the whole video. If the clips of
    a video have different ids, these are ids of clips, and the video has none. The rows may have any order; they are
    kept on disk, and memory holds a part of them at a time.

    Raises:
        ManifestError: rows of one video differ in another column.
    """
    with Spool() as spool:
        for where, row in rows:
            address = _address(row)
            if not address or all(row.get(column) in (None, "") for column in CLIP_COLUMNS):
                yield where, row
                continue
            try:
                spool.put(zlib.crc32(address.encode("utf-8", "replace")) % _BUCKETS, [where, row])
            except RecursionError:
                raise ManifestError(f"{where}: nested too deeply") from None
        for bucket in range(_BUCKETS):
            yield from _merged(spool.read(bucket))


def _address(row: Any) -> str:
    named = [row[column] for column in _ADDRESS if row.get(column)] if isinstance(row, dict) else []
    return named[0] if named and isinstance(named[0], str) else ""


def _merged(clips: Iterator[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
    videos: dict[str, tuple[str, Row]] = {}
    for where, clip in clips:
        event = _event(clip)
        rest = {column: value for column, value in clip.items() if column not in CLIP_COLUMNS}
        first, video = videos.setdefault(_address(clip), (where, {**rest, "events": []}))
        if clip.get("events") not in (None, ""):
            raise ManifestError(f"{where}: a row has either `events` or the columns of a clip, not both")
        for column in {**video, **rest}:
            value = rest.get(column)
            if column == "id" and video.get("id") != value:
                video["id"] = None
            elif column != "events" and video.get(column) != value:
                raise ManifestError(
                    f"{where}: {column} = {format_value(value)}, but {format_value(video.get(column))} in {first}; "
                    "rows of one video must have the same values"
                )
        video["events"] += [event] if event else []
    yield from videos.values()


def _event(clip: Row) -> Row | None:
    """Returns the clip as an entry of `events`; `annotate` reports errors in it."""
    start, end, text = (clip.get(column) for column in CLIP_COLUMNS)
    if start in (None, "") and end in (None, ""):
        return {"start_s": 0, "end_s": TO_THE_END, "kind": "caption", "text": text} if text else None
    times = {"start_s": start, "end_s": end}
    read = {name: seconds(value) for name, value in times.items()}
    given = {name: times[name] if value is None else value for name, value in read.items()}
    return {**given, "kind": "clip", "text": text or ""}
