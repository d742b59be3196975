"""Rows of clips with video, start, end and text: InternVid, MIL-NCE, EgoClip, EPIC-KITCHENS, Kinetics. CSV or JSON.

    {"YoutubeID": "rJFrLyhMnyA", "Start_timestamp": "00:00:18.100",
     "End_timestamp": "00:00:21.200", "Caption": "a man dances"}

    end,start,task,text,video_id
    60,47,226,pick the ends off the verdalago,xHr8X2Wpmno

    video_id,start_timestamp,stop_timestamp,narration,verb,noun
    P01_01,00:00:00.14,00:00:03.37,open door,open,door

    label,youtube_id,time_start,time_end,split
    testifying,---QUuC4vJs,84,94,train

    {"video": "a.mp4", "start_s": 47, "end_s": 60, "text": "a man runs", "kind": "event"}

Column names are case-insensitive, and `startTime` is `start_time`. Start and end may also be one column `timestamp`,
`ts` or `segment` with two values, or `start_frame` and `end_frame` with `fps`. Questions in a list of a row are read,
too. A video of Kinetics may be the cut (`---QUuC4vJs_000084_000094.mp4`) or the whole video.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.event_lines import KINDS
from stages.annotations.formats.entry import (
    Entry,
    Format,
    Row,
    cut_entry,
    fields_of,
    first_of,
    pair,
    row,
    seconds,
    text_of,
)
from stages.annotations.formats.question_rows import nested_questions
from stages.annotations.formats.webvid import is_msrvtt

_LINKS = ("uri", "url")
VIDEO = (
    "video_id", "videoid", "youtubeid", "youtube_id", "video_uid", "vid", "vid_name", "video", "video_name",
    "video_path", "movie", *_LINKS,
)  # fmt: skip
"""Names of the field that names the video, in small letters."""
_START = (
    "start_s", "start", "start_sec", "start_time", "start_timestamp", "clip_start", "t_start", "begin", "time_start",
    "from", "t0",
)  # fmt: skip
_END = (
    "end_s", "end", "end_sec", "end_time", "end_timestamp", "stop_timestamp", "clip_end", "t_end", "time_end", "to",
    "t1",
)  # fmt: skip
COLUMNS = (*VIDEO, *_START, *_END)
"""Names that tell that a line is the header of a table."""
_START_FRAME, _END_FRAME = ("start_frame", "frame_start"), ("end_frame", "stop_frame", "frame_end")
_TIMES = ("timestamp", "timestamps", "segment", "span", "ts", "clip_span", "interval")
_TEXT = (
    "text", "caption", "sentence", "description", "narration", "narration_text", "query", "clip_text", "desc",
    "vast_cap", "label", "classname", "class_name",
)  # fmt: skip
ASKS = ("question", "q", "conversations")


def video_of(record: dict[str, Any], links: bool = True) -> str:
    """Returns the id of the video that a record names, or ""; a link may be of something else."""
    return text_of(first_of(record, *(VIDEO if links else VIDEO[: -len(_LINKS)])))


def is_clip(record: dict[str, Any]) -> bool:
    """Returns whether a record has a start, an end and a text, and asks nothing."""
    if not record.keys() & set(_TEXT) or record.keys() & set(ASKS):
        return False
    if record.keys() & {*_START, *_START_FRAME} and record.keys() & {*_END, *_END_FRAME}:
        return True
    return any(seconds(pair(record.get(name))[0]) is not None for name in (*_TIMES, "frames"))


def clip_of(record: dict[str, Any], usual_kind: str = "clip") -> Row:
    """Returns the row of such a record; it has no time if the times cannot be read."""
    start, end = first_of(record, *_START), first_of(record, *_END)
    if start is None and end is None:
        start, end = pair(first_of(record, *_TIMES))
    if start is None and end is None:
        start, end = _of_frames(record)
    kind = text_of(record.get("kind"))
    return row(start, end, told(record), kind if kind in KINDS else usual_kind)


def told(record: dict[str, Any]) -> str:
    """Returns the first text; a label that is a number is none (HACS: 1 where a video shows the class)."""
    texts = ((name, text_of(record.get(name))) for name in _TEXT)
    return next((text for name, text in texts if text and (name != "label" or seconds(text) is None)), "")


def _is_of(key: str, value: Any) -> bool:
    record = fields_of(value)
    if is_msrvtt(value):
        return False
    # An object whose members are videos has no clips but lists of them; MAD's members are clips that name their video.
    return bool(record.keys() & set(VIDEO)) and is_clip(record) and not (key and record.keys() & set(_START))


def _read(key: str, value: Any) -> Iterator[Entry]:
    record = fields_of(value)
    found, video = clip_of(record), video_of(record)
    duration_s = seconds(first_of(record, "duration", "video_dur", "duration_s", "movie_duration"))
    yield cut_entry(video, found) if "time_start" in record else Entry(video, [found], duration_s)
    yield from nested_questions(value, video, (found.start_s, found.end_s))


def _of_frames(record: dict[str, Any]) -> tuple[float | None, float | None]:
    """Returns times from the numbers of frames, if the record has their rate."""
    fps = seconds(first_of(record, "fps", "frame_rate"))
    first, last = (seconds(first_of(record, *names)) for names in (_START_FRAME, _END_FRAME))
    if first is None and last is None:
        first, last = map(seconds, pair(record.get("frames")))
    return (first / fps, last / fps) if fps and fps > 0 and first is not None and last is not None else (None, None)


FORMAT = Format("clip_list", _is_of, _read)
