"""Steps of COIN: the official file, or lists of objects with one key.

    {"database": {"I3tfxWUIHts": {"class": "PutOnCarSticker", "recipe_type": 1, "duration": 185.0,
                                  "start": 0, "end": 185, "subset": "training",
                                  "annotation": [{"id": "462", "segment": [0.0, 18.0],
                                                  "label": "put the sticker on the window"}]}}}

Labels come from a fixed list; a step may occur several times.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, dict_of, list_of, pair, row, seconds


def _is_of(key: str, value: Any) -> bool:
    steps = list_of(dict_of(value).get("annotation"))
    return bool(key) and bool(steps) and "label" in dict_of(steps[0])


def _read(key: str, value: Any) -> Iterator[Entry]:
    steps = [dict_of(step) for step in list_of(value["annotation"])]
    rows = [row(*pair(step.get("segment")), step.get("label")) for step in steps]
    yield Entry(key, rows, seconds(value.get("duration")))


FORMAT = Format("coin", _is_of, _read)
