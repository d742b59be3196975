"""Clip lists: manifests with a row per clip, put together to a row per video."""

import json
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from pipeline.inputs.manifest_rows import ManifestError, Row
from stages.annotations.event_lines import TO_THE_END
from stages.annotations.formats.entry import seconds
from workers.fetch.redaction import format_value

CLIP_COLUMNS = ("start_s", "end_s", "text")
_ADDRESS = ("uri", "path", "video")
_BUCKETS = 64


def merge_clips(rows: Iterator[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
    """Rows as written; those of clips of one address as one row with events, after all others.

    A row is of a clip where it has one of CLIP_COLUMNS. With `text` alone it is a caption of the whole video, without
    times it only names the video. Ids that differ are those of the clips: then the video has none but its address.
    The rows may come in any order: they wait on the disk, and memory holds a part of them at a time.

    Raises ManifestError where other columns of one video's rows differ.
    """
    with ExitStack() as stack:
        buckets: list[TextIO] = []
        for where, row in rows:
            address = _address(row)
            if not address or all(row.get(column) in (None, "") for column in CLIP_COLUMNS):
                yield where, row
                continue
            if not buckets:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="longvid-clips-")))
                buckets = [stack.enter_context((folder / str(n)).open("w+", encoding="ascii")) for n in range(_BUCKETS)]
            bucket = buckets[zlib.crc32(address.encode("utf-8", "replace")) % _BUCKETS]
            try:
                bucket.write(json.dumps([where, row], default=str) + "\n")  # Parquet holds dates and the like
            except RecursionError:
                raise ManifestError(f"{where}: nested too deeply") from None
        for bucket in buckets:
            yield from _merged(bucket)


def _address(row: Any) -> str:
    named = [row[column] for column in _ADDRESS if row.get(column)] if isinstance(row, dict) else []
    return named[0] if named and isinstance(named[0], str) else ""


def _merged(bucket: TextIO) -> Iterator[tuple[str, Row]]:
    videos: dict[str, tuple[str, Row]] = {}
    bucket.seek(0)
    for line in bucket:
        where, clip = json.loads(line)
        event = _event(clip)
        rest = {column: value for column, value in clip.items() if column not in CLIP_COLUMNS}
        first, video = videos.setdefault(_address(clip), (where, {**rest, "events": []}))
        if clip.get("events") not in (None, ""):
            raise ManifestError(f"{where}: a row has either `events` or the columns of a clip, not both")
        for column, value in rest.items():
            if column == "id" and video.get("id") != value:
                video["id"] = None
            elif column != "events" and video.get(column) != value:
                raise ManifestError(
                    f"{where}: {column} = {format_value(value)}, but {format_value(video.get(column))} in {first}; "
                    "rows of one video have to agree"
                )
        video["events"] += [event] if event else []
    yield from videos.values()


def _event(clip: Row) -> Row | None:
    """The clip as an event, as a row of `events`; `annotate` finds what is wrong with it."""
    start, end, text = (clip.get(column) for column in CLIP_COLUMNS)
    if start in (None, "") and end in (None, ""):
        return {"start_s": 0, "end_s": TO_THE_END, "kind": "caption", "text": text} if text else None
    times = {"start_s": start, "end_s": end}
    read = {name: seconds(value) for name, value in times.items()}
    told = {name: times[name] if value is None else value for name, value in read.items()}
    return {**told, "kind": "clip", "text": text or ""}
