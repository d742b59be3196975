"""Chapters: `chapters` of yt-dlp's info.json, or lines of a description with times before or after the titles.

    {"id": "jReX7qKU2yc", "duration": 574,
     "chapters": [{"start_time": 0.0, "end_time": 111.0, "title": "Introduction"}]}

    00:00 Introduction
    1:51 States of Consciousness
    Dual Processing 3:33

A chapter of a description ends where the next one begins; the last one ends with the video.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, row, seconds, text_of

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
        return isinstance(value.get("chapters"), list)
    lines = _lines(value[:20_000]) if isinstance(value, str) and "-->" not in value[:20_000] else []
    # YouTube's own rule: at least three, in order, the first at zero.
    return len(lines) >= 3 and lines[0][0] == 0 and [time for time, _ in lines] == sorted(time for time, _ in lines)


def _read(key: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, dict):
        told = [dict_of(chapter) for chapter in value["chapters"]]
        rows = [
            row(chapter.get("start_time"), chapter.get("end_time"), chapter.get("title"), "chapter") for chapter in told
        ]
        yield Entry(text_of(value.get("id")), rows, seconds(value.get("duration")))
        return
    lines = _lines(value)
    ends: list[float | None] = [time for time, _ in lines[1:]]
    titled = zip(lines, [*ends, None], strict=True)
    yield Entry("", [Row(time, end, title, "chapter") for (time, title), end in titled])


FORMAT = Format("chapters", _is_of, _read)
