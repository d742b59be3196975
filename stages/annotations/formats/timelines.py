"""Lists of timed texts, one list per video: a record with a list of segments, or an object with a list for each video.

    {"video": "a.mp4", "duration": 60.5, "segments": [{"start": 0.5, "end": 9, "caption": "He sits."},
                                                      {"time": 12.5, "caption": "He falls."}]}

    {"dQw4w9WgXcQ": [{"start": "00:00:00", "end": "00:01:51", "title": "Introduction"}]}

    {"video_id": "dQw4w9WgXcQ", "transcript": [{"start": 0.5, "duration": 2.4, "text": "Hi there."}]}

    video,time,caption
    a.mp4,12.5,He falls.

A single `time` or `timestamp` is a point in time, also in a row of its own that names its video. A record without an id
belongs to the video that its file is named after, and lines that name their own videos to those. Titles are chapters,
and what is said is speech. Questions in a list of a record are read, too.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.clip_list import ASKS, clip_of, is_clip, told, video_of
from stages.annotations.formats.entry import Entry, Format, Row, fields_of, first_of, seconds, text_of
from stages.annotations.formats.question_rows import nested_questions
from stages.annotations.formats.whisper import is_speech

_POINT = ("time", "timestamp", "timestamp_sec")
_SPEECH = ("transcript", "transcripts", "transcription", "subtitle", "subtitles", "asr", "speech", "utterances")
_LISTS = (
    *_SPEECH,
    "segments",
    "captions",
    "annotations",
    "events",
    "chapters",
    "scenes",
    "clips",
    "story",
    "narrations",
)
_SPLITS = ("train", "training", "val", "validation", "valid", "test", "testing")
_FIRST = 5


def _lists(key: str, value: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    """Returns the lists of timed texts in a record, with their names."""
    members = {key: value} if isinstance(value, list) and key else value if isinstance(value, dict) else {}
    record = fields_of(value)
    if record.keys() & set(ASKS):
        return []
    if not key and not (video_of(record) or text_of(record.get("id"))):
        # An object with other names is one of videos, whose members are read one by one.
        members = {name: inner for name, inner in members.items() if name.lower() in _LISTS}
    lists = [(name, list(map(_item, inner))) for name, inner in members.items() if isinstance(inner, list)]
    # Words are those of the lines of a transcript.
    return [(name, items) for name, items in lists if name != "words" and any(map(_is_timed, items[:_FIRST]))]


def _item(value: Any) -> dict[str, Any]:
    item = fields_of(value)
    start, length = seconds(item.get("start")), seconds(item.get("duration"))
    if "end" not in item and start is not None and length is not None:
        item["end"] = start + length
    if isinstance(item.get("duration"), list):
        item["span"] = item["duration"]  # MovieNet
    # The title of a chapter is its text, if it has no other.
    return {**item, "text": item["title"], "kind": "chapter"} if "title" in item and not told(item) else item


def _is_timed(item: dict[str, Any]) -> bool:
    return is_clip(item) or _is_point(item)


def _is_point(item: dict[str, Any]) -> bool:
    has_time = seconds(first_of(item, *_POINT)) is not None and not item.keys() & set(ASKS)
    return has_time and bool(told(item))


def _is_of(key: str, value: Any) -> bool:
    return bool(_lists(key, value)) or _is_row(key, value)


def _is_row(key: str, value: Any) -> bool:
    """Whether a record is no list, but one point of a video that it names."""
    record = fields_of(value)
    return not key and bool(video_of(record)) and _is_point(record)


def _read(key: str, value: Any) -> Iterator[Entry]:
    record = fields_of(value)
    lists = _lists(key, value) or [("", [record])]
    is_split = key.split("_")[0].lower() in _SPLITS
    video = video_of(record) or ("" if is_split else key) or text_of(record.get("id"))
    rows: dict[str, list[Row]] = {}
    for name, items in lists:
        kind = "speech" if name.lower() in _SPEECH else "event"
        for item in items:
            # A link of a line of one video is mostly to that line.
            own = video_of(item, links=not video) or video
            rows.setdefault(own, []).append(_row(item, "speech" if is_speech(item) else kind))
    duration_s = seconds(first_of(record, "duration", "duration_s"))
    split = text_of(record.get("split")) or (key if is_split else "")
    yield from (Entry(own, found, duration_s if own == video else None, split=split) for own, found in rows.items())
    yield from nested_questions(value, video)


def _row(item: dict[str, Any], kind: str) -> Row:
    at = seconds(first_of(item, *_POINT))
    if is_clip(item) or at is None:
        return clip_of(item, kind)
    return Row(at, at, told(item), kind, is_point=True)


FORMAT = Format("timelines", _is_of, _read)
