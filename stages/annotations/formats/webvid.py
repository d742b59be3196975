"""One caption per video: WebVid and OpenVid.

    videoid,name,page_idx,page_dir,duration,contentUrl
    1053841541,Horse grazing on a meadow,27732,027701_027750,PT00H00M17S,https://example.org/1053841541.mp4

    video,caption,aesthetic score,motion score,frame,fps,seconds
    ---_iRTHryQ_13_0to241.mp4,A man is seen in a living room.,5.4,1.5,241,29.97,8.04

The caption is an event that covers the whole video.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, first_of, seconds, text_of, whole_video


def _is_of(key: str, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return {"videoid", "name"} <= value.keys() or {"video", "caption", "seconds"} <= value.keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    duration_s = seconds(first_of(value, "duration", "seconds"))
    caption = whole_video(first_of(value, "name", "caption"))
    yield Entry(text_of(first_of(value, "videoid", "video")), [caption], duration_s)


FORMAT = Format("webvid", _is_of, _read)
