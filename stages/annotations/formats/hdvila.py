"""HD-VILA-100M: the times of the clips of a video. It has no captions; those of others may be in `text`.

    {"video_id": "QMi8x8o55Ns", "url": "https://www.youtube.com/watch?v=QMi8x8o55Ns",
     "clip": [{"clip_id": "QMi8x8o55Ns.1.mp4", "span": ["00:00:17.759", "00:00:23.279"]},
              {"clip_id": "QMi8x8o55Ns.16.mp4", "span": ["00:04:52.140", "00:05:03.350"],
               "text": "a boat leaves the harbour"}]}

A clip without a text is also a window of its video; see `write_qa.clips`.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, dict_of, first_of, pair, row, text_of


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, dict) and "video_id" in value and isinstance(value.get("clip"), list)


def _read(key: str, value: Any) -> Iterator[Entry]:
    clips = [dict_of(clip) for clip in value["clip"]]
    rows = [row(*pair(clip.get("span")), first_of(clip, "text", "caption"), "clip") for clip in clips]
    yield Entry(text_of(value["video_id"]), rows)


FORMAT = Format("hdvila", _is_of, _read)
