"""Lists of videos without annotations: HowTo100M, HD-VILA, CrossTask, splits.

    video_path
    33ocZ8pSh3Q.mp4

    [{"vid": "DUhlrNEsKys", "task": "23521", "length": 14}]

    {"train": ["--3t0-oT8Y0", "--4ezeKcHzQ"], "val_seen": ["--728h8mnDY"]}

    {"005651d6-...": {"video_uid": "4c64e0d9-...", "starting_sec": 270, "ending_sec": 450}}

With `--annotations`, they select the videos of a folder that belong to the data set; the third form also contains their
split. The last form, of EgoSchema, names the video from which each clip was cut. Records that have captions or
sentences are counted (`unread_text`), since these are not read.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, first_of, list_of, seconds, text_of

_VIDEO = ("video_id", "videoID", "videoid", "vid", "video_path", "video", "youtube_id", "YoutubeID", "video_uid", "id")
_TEXTS = ("caption", "text", "narration", "sentence", "question", "answer", "transcript")
_SPLITS = ("train", "training", "val", "validation", "valid", "test", "testing")


def _is_of(key: str, value: Any) -> bool:
    if isinstance(value, list):
        return key.split("_")[0].lower() in _SPLITS and bool(value) and all(isinstance(v, str) for v in value[:20])
    if isinstance(value, dict) and not key:
        return "video_group" in value or any(isinstance(value.get(name), str | int) for name in _VIDEO)
    return isinstance(value, dict) and {"video_uid", "starting_sec"} <= value.keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, list):
        for video in list_of(value):
            yield Entry(text_of(video), split=key)
    elif "starting_sec" in value:
        yield Entry(key, clip_of=text_of(value["video_uid"]), offset_s=seconds(value["starting_sec"]) or 0.0)
    elif "video_group" in value:
        yield from (Entry(text_of(video)) for video in list_of(value["video_group"]))
    else:
        yield Entry(text_of(first_of(value, *_VIDEO)), dropped={"unread_text": int(_has_sentence(value))})


def _has_sentence(value: Any, depth: int = 6) -> bool:
    """Returns whether a record has a caption or a text of four words or more, which no list of ids has."""
    if isinstance(value, str):
        return "://" not in value and value.strip().count(" ") >= 3
    if isinstance(value, dict) and any(isinstance(value.get(name), str) and value[name] for name in _TEXTS):
        return True
    if isinstance(value, dict):
        # HowTo100M: `category_1` is "Cars & Other Vehicles".
        value = [cell for name, cell in value.items() if "category" not in name]
    inner = value if isinstance(value, list) else []
    return depth > 0 and any(_has_sentence(each, depth - 1) for each in inner)


FORMAT = Format("ids", _is_of, _read)
