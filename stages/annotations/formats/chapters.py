"""Chapters: `chapters` of yt-dlp's info.json, lines of a description with times, VidChapters, tags of ViTT.

    {"id": "jReX7qKU2yc", "duration": 574,
     "chapters": [{"start_time": 0.0, "end_time": 111.0, "title": "Introduction"}]}

    {"dQw4w9WgXcQ": {"duration": 574, "chapters": {"00:00:00": "Introduction", "00:01:51": "States"}}}

    {"id": "FmTp", "annotations": [{"timestamp": 260, "tag": "Opening"}, {"timestamp": 16000, "tag": "Cutting"}]}

    00:00 Introduction
    1:51 States of Consciousness
    Dual Processing 3:33

Times of a description may be before or after the titles. A chapter without an end ends where the next one begins; the
last one ends with the video. Times of ViTT are milliseconds.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, first_of, list_of, row, seconds, text_of

_TIME = r"(?:\d{1,3}:)?\d{1,3}:\d{2}(?!:?\d)"
_GAP = r"[\s:|(\[\u2013\u2014-]+"
_BEFORE = rf"[\s\-*(\[\u2022]*(?P<time>{_TIME})[\])]?{_GAP}(?P<title>\S.*)"
_AFTER = rf"\s*(?P<title>\S.*?){_GAP}(?P<time>{_TIME})[\])\s]*"
_LINES = re.compile(_BEFORE), re.compile(_AFTER)
_MAX_LINE = 500


def _lines(text: str) -> list[tuple[float, str]]:
    lines = [line for line in text.split("\n") if len(line) <= _MAX_LINE]
    found = [_LINES[0].fullmatch(line) or _LINES[1].fullmatch(line) for line in lines]
    return [(seconds(m["time"]) or 0.0, m["title"].strip()) for m in found if m]


def _is_of(key: str, value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("chapters"), dict if key else list | dict) or bool(_tags(value))
    lines = _lines(value[:20_000]) if isinstance(value, str) and "-->" not in value[:20_000] else []
    # YouTube's own rule: at least three, in order, the first at zero.
    return len(lines) >= 3 and lines[0][0] == 0 and [time for time, _ in lines] == sorted(time for time, _ in lines)


def _read(key: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, dict) and (tags := _tags(value)):
        # In time order, since the end of each is the start of the next.
        yield Entry(
            key or text_of(value.get("id")), _until_the_next(sorted((ms / 1000, text) for ms, text in tags), True)
        )
        return
    if isinstance(value, dict) and isinstance(value["chapters"], dict):
        timed = [(seconds(time), text_of(title)) for time, title in value["chapters"].items()]
        known = sorted((time, title) for time, title in timed if time is not None)
        dropped = {"no_time": len(timed) - len(known)}
        video = key or text_of(first_of(value, "id", "video_id"))
        yield Entry(video, _until_the_next(known), seconds(value.get("duration")), dropped=dropped)
        return
    if isinstance(value, dict):
        told = [dict_of(chapter) for chapter in value["chapters"]]
        rows = [
            row(chapter.get("start_time"), chapter.get("end_time"), chapter.get("title"), "chapter") for chapter in told
        ]
        yield Entry(text_of(value.get("id")), rows, seconds(value.get("duration")))
        return
    yield Entry("", _until_the_next(_lines(value)))


def _tags(value: dict[str, Any]) -> list[tuple[float, str]]:
    """Returns the times in milliseconds and the tags of ViTT."""
    told = [dict_of(tag) for tag in list_of(value.get("annotations"))]
    return [(time, text_of(t["tag"])) for t in told if "tag" in t and (time := seconds(t.get("timestamp"))) is not None]


def _until_the_next(titled: list[tuple[float, str]], has_unit: bool = False) -> list[Row]:
    ends: list[float | None] = [*(time for time, _ in titled[1:]), None]
    both = zip(titled, ends, strict=False)
    return [Row(time, end, title, "chapter", has_unit=has_unit) for (time, title), end in both]


FORMAT = Format("chapters", _is_of, _read)
