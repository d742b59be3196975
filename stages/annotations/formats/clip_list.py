"""Rows of clips with video, start, end and text: InternVid, MIL-NCE, EgoClip. CSV or JSON lines.

    {"YoutubeID": "rJFrLyhMnyA", "Start_timestamp": "00:00:18.100",
     "End_timestamp": "00:00:21.200", "Caption": "a man dances"}

    end,start,task,text,video_id
    60,47,226,pick the ends off the verdalago,xHr8X2Wpmno

    {"video": "a.mp4", "start_s": 47, "end_s": 60, "text": "a man runs", "kind": "event"}

Column names are case-insensitive. Start and end may also be one column `timestamp` with two values.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.event_lines import KINDS
from stages.annotations.formats.entry import Entry, Format, first_of, pair, row, seconds, text_of

_VIDEO = (
    "video_id",
    "videoid",
    "youtubeid",
    "youtube_id",
    "video_uid",
    "vid",
    "video",
    "video_name",
    "video_path",
    "uri",
    "url",
)
_START = ("start_s", "start", "start_sec", "start_time", "start_timestamp", "clip_start", "t_start", "begin")
_END = ("end_s", "end", "end_sec", "end_time", "end_timestamp", "clip_end", "t_end")
_TIMES = ("timestamp", "timestamps", "segment", "span")
_TEXT = ("text", "caption", "sentence", "description", "query", "clip_text", "label")


def _small(value: Any) -> dict[str, Any]:
    return {str(name).lower(): cell for name, cell in value.items()} if isinstance(value, dict) else {}


def _is_of(key: str, value: Any) -> bool:
    record = _small(value)
    if key or not record.keys() & set(_VIDEO) or not record.keys() & set(_TEXT) or "question" in record:
        return False
    if record.keys() & set(_START) and record.keys() & set(_END):
        return True
    return any(seconds(pair(record.get(name))[0]) is not None for name in _TIMES)


def _read(key: str, value: Any) -> Iterator[Entry]:
    record = _small(value)
    start, end = first_of(record, *_START), first_of(record, *_END)
    if start is None and end is None:
        start, end = pair(first_of(record, *_TIMES))
    kind = text_of(record.get("kind"))
    video = text_of(first_of(record, *_VIDEO))
    duration_s = seconds(first_of(record, "duration", "video_dur", "duration_s"))
    yield Entry(video, [row(start, end, first_of(record, *_TEXT), kind if kind in KINDS else "clip")], duration_s)


FORMAT = Format("clip_list", _is_of, _read)
