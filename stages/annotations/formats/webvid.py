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

from stages.annotations.formats.entry import Entry, Format, Row, first_of, list_of, seconds, text_of, whole_video

_VIDEO = ("videoid", "videoID", "video_id", "video", "video_name", "video_path", "vid", "id")
_CAPTIONS = ("caption", "captions", "enCap", "sentence", "sentences", "text", "desc")
_MSRVTT = {"video_id", "start time", "end time"}
# Fields of captions of a part of a video, and of other forms.
_OTHER = re.compile(
    r"(?:.*_)?(?:start|end|begin|stop|times?|timestamps?|ts|spans?|segments?|windows?|clips|words|frame_ids?)(?:_.*)?"
    r"|question|q|conversations|messages|QA|(?:first|last|from|to)_frame",
    re.IGNORECASE,
)
_CUT = re.compile(r"(.{11})_(\d{6})_(\d{6})")


def _captions(value: dict[str, Any]) -> list[str]:
    # Labels of Something-Something are sentences made from a template.
    names = (*_CAPTIONS, *(("name",) if "videoid" in value else ()), *(("label",) if "template" in value else ()))
    found = first_of(value, *names)
    return [text_of(caption) for caption in (found if isinstance(found, list) else list_of(found) or [found])]


def _is_of(key: str, value: Any) -> bool:
    if key or not isinstance(value, dict):
        return False
    if value.keys() >= _MSRVTT:
        return True
    return first_of(value, *_VIDEO) is not None and any(_captions(value)) and not any(map(_OTHER.fullmatch, value))


def _read(key: str, value: Any) -> Iterator[Entry]:
    duration_s = seconds(first_of(value, "duration", "seconds"))
    video = text_of(first_of(value, *_VIDEO))
    captions = [whole_video(caption) for caption in _captions(value) if caption]
    dropped = {"other_language": len(list_of(value.get("chCap")))}
    if cut := _CUT.fullmatch(video):
        start_s, end_s = float(cut[2]), float(cut[3])
        rows: list[Row] = [caption._replace(end_s=end_s - start_s) for caption in captions]
        yield Entry(video, rows, duration_s, cut[1], start_s, dropped=dropped)
    else:
        yield Entry(video, captions, duration_s, split=text_of(value.get("split")), dropped=dropped)


FORMAT = Format("webvid", _is_of, _read)
