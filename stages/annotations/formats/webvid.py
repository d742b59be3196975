"""Captions of whole videos: WebVid, OpenVid, MSR-VTT, VATEX, Something-Something; any rows of a video and a caption.

    videoid,name,page_idx,page_dir,duration,contentUrl
    1053841541,Horse grazing on a meadow,27732,027701_027750,PT00H00M17S,https://example.org/1053841541.mp4

    video,caption,aesthetic score,motion score,frame,fps,seconds
    ---_iRTHryQ_13_0to241.mp4,A man is seen in a living room.,5.4,1.5,241,29.97,8.04

    {"videos": [{"video_id": "video0", "start time": 137.72, "end time": 149.44, "split": "train", "url": "..."}],
     "sentences": [{"sen_id": 0, "video_id": "video0", "caption": "a car is shown"}]}

    [{"videoID": "Ptf_2VRj-V0_000122_000132", "enCap": ["A person wearing a bear costume holds a child."], "chCap": []}]

Each caption is an event that covers the whole video. Times of MSR-VTT are of the video that its videos were cut from. A
video of VATEX may be the cut (`Ptf_2VRj-V0_000122_000132.mp4`) or the whole video.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import (
    Entry,
    Format,
    Row,
    fields_of,
    first_of,
    list_of,
    pair,
    seconds,
    text_of,
    whole_video,
)

_VIDEO = ("videoid", "videoID", "video_id", "video", "video_name", "video_path", "vid", "id")
_CAPTIONS = ("caption", "captions", "enCap", "sentence", "sentences", "text", "desc")
_MSRVTT = {"video_id", "start time", "end time"}
_OLD = ({"videoid", "name"}, {"video", "caption", "seconds"})  # WebVid and OpenVid, whatever else their tables have
# Fields of captions of a part of a video, and of other forms.
_OTHER = re.compile(
    r"(?:.*_)?(?:start|end|begin|stop|times?|timestamps?|ts|spans?|segments?|windows?|clips|words|frame_ids?)(?:_.*)?"
    r"|question|q|conversations|messages|qa|(?:first|last|from|to)_frame|from|to|interval|offset|shot|t0|t1"
)
_CUT = re.compile(r"(.{11})_(\d{6})_(\d{6})")


def is_msrvtt(value: Any) -> bool:
    """Returns whether a record is of MSR-VTT, whose times are those of the cut in a longer video."""
    is_of = isinstance(value, dict) and value.keys() >= _MSRVTT
    return is_of and bool(re.fullmatch(r"video\d+", text_of(value["video_id"])))


def _captions(value: dict[str, Any]) -> list[str]:
    # Labels of Something-Something are sentences made from a template.
    names = (*_CAPTIONS, *(("name",) if "videoid" in value else ()), *(("label",) if "template" in value else ()))
    found = first_of(value, *names)
    if isinstance(found, list) or list_of(found):
        return [text_of(caption) for caption in list_of(found)]
    # An empty caption is one without a text, which is counted.
    return [text_of(found)] if found is not None or any(value.get(name) == "" for name in names) else []


def _is_of(key: str, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if any(value.keys() >= names for names in _OLD):
        return True
    if key or is_msrvtt(value):
        return not key
    fields = fields_of(value)
    is_part = any(map(_OTHER.fullmatch, fields)) or seconds(pair(fields.get("frames"))[0]) is not None
    return first_of(value, *_VIDEO) is not None and bool(_captions(value)) and not is_part


def _read(key: str, value: Any) -> Iterator[Entry]:
    duration_s = seconds(first_of(value, "duration", "seconds"))
    video = text_of(first_of(value, *_VIDEO))
    captions = [whole_video(caption) for caption in _captions(value)]
    dropped = {"other_language": len(list_of(value.get("chCap")))}
    if cut := _CUT.fullmatch(video):
        start_s, end_s = float(cut[2]), float(cut[3])
        rows: list[Row] = [caption._replace(end_s=end_s - start_s) for caption in captions]
        yield Entry(video, rows, duration_s, cut[1], start_s, dropped=dropped)
    else:
        yield Entry(video, captions, duration_s, split=text_of(value.get("split")), dropped=dropped)


FORMAT = Format("webvid", _is_of, _read)
