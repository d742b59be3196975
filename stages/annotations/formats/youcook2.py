"""YouCook2's official file, and translations without `segment`, which must be given together with the official file.

    {"database": {"GLd3aX16zBg": {"subset": "training", "duration": 241.64, "recipe_type": "113",
                                  "video_url": "https://www.youtube.com/watch?v=GLd3aX16zBg",
                                  "annotations": [{"id": 0, "segment": [90, 102],
                                                   "sentence": "spread margarine on two slices of bread"}]}}}

If the keys are numbers, the video is found by its address.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, dict_of, list_of, pair, row, seconds, text_of


def _is_of(key: str, value: Any) -> bool:
    steps = list_of(dict_of(value).get("annotations"))
    return bool(key) and bool(steps) and "sentence" in dict_of(steps[0])


def _read(key: str, value: Any) -> Iterator[Entry]:
    steps = [dict_of(step) for step in list_of(value["annotations"])]
    rows = [row(*pair(s.get("segment")), s.get("sentence"), ref=text_of(s.get("id"))) for s in steps]
    # Some copies number the videos; the address names them.
    yield Entry(text_of(value.get("video_url")) or key, rows, seconds(value.get("duration")))


FORMAT = Format("youcook2", _is_of, _read)
