"""MiraData: one CSV row per clip of a video, with up to six captions.

    index,clip_id,video_id,timestamp,short_caption,dense_caption,background_caption,main_object_caption
    0,7,abcdefghijk,"['0:01:10.000', '0:02:12.500']",A car drives.,A red car drives by.,A street.,A car.

There may be two columns `start_time` and `end_time` instead of `timestamp`. The most detailed caption becomes the
event; the others, which repeat parts of it, are dropped and counted.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, first_of, list_of, row, text_of

_CAPTIONS = (
    "dense_caption",
    "short_caption",
    "main_object_caption",
    "background_caption",
    "camera_caption",
    "style_caption",
)
_TIME = re.compile(r"\d{1,3}:\d{2}:\d{2}(?:\.\d{1,6})?")


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, dict) and {"dense_caption", "short_caption"} <= value.keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    captions = [text for name in _CAPTIONS if (text := text_of(value.get(name)).strip())]
    video = text_of(first_of(value, "video_id", "videoID", "video_url", "url"))
    if not captions and not video:
        yield Entry("", dropped={"empty_row": 1})
        return
    start, end = _times(value)
    more = len(captions) - 1
    kept: list[Row] = [row(start, end, captions[0] if captions else "", "clip")]
    yield Entry(video, kept, dropped={"other_caption": more})


def _times(value: dict[str, Any]) -> tuple[Any, Any]:
    stamp = first_of(value, "timestamp", "timestamps")
    if isinstance(stamp, str) and len(found := _TIME.findall(stamp[:200])) == 2:
        return found[0], found[1]
    if len(found := list_of(stamp)) == 2:
        return found[0], found[1]
    return first_of(value, "start_time", "start_timestamp", "start"), first_of(
        value, "end_time", "end_timestamp", "end"
    )


FORMAT = Format("miradata", _is_of, _read)
