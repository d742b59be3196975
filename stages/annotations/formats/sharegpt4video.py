"""ShareGPT4Video: captions between the key frames of a video, and one of the whole video.

    {"video_id": "abc", "video_path": "panda/abc.mp4", "timestamp": ["00:00:00.000", "00:00:08.500"],
     "keyframe": [0, 2, 8],
     "captions": [{"idx": "-1", "content": "A dog runs to the sea and swims."},
                  {"idx": "0", "content": "A dog runs."}, {"idx": "1", "content": "It reaches the sea."}],
     "zip_folder": "panda_videos_1.zip"}

`keyframe` is in seconds; caption `i` describes the changes from key frame `i` to the next one.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import (
    Entry,
    Format,
    Row,
    dict_of,
    list_of,
    pair,
    row,
    seconds,
    text_of,
    whole_video,
)


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, dict) and "keyframe" in value and isinstance(value.get("captions"), list)


def _read(key: str, value: Any) -> Iterator[Entry]:
    times = [seconds(time) for time in list_of(value["keyframe"])]
    first, last = map(seconds, pair(value.get("timestamp")))
    length = last - first if first is not None and last is not None else None
    bounds = [*times, length] if length is not None and times and length > (times[-1] or 0) else times
    rows: list[Row] = []
    for caption in map(dict_of, value["captions"]):
        number, text = seconds(caption.get("idx")), text_of(caption.get("content"))
        if number == -1:
            rows.append(whole_video(text))
        elif number is None or number != int(number) or not 0 <= number < len(bounds) - 1:
            rows.append(Row(None, None, text))
        else:
            rows.append(row(bounds[int(number)], bounds[int(number) + 1], text))
    video = text_of(value.get("video_id")) or text_of(value.get("video_path"))
    yield Entry(video, rows, length)


FORMAT = Format("sharegpt4video", _is_of, _read)
