"""YouCook2's official file, and its translations without `segment`; actions of ActivityNet 1.3, THUMOS and Kinetics.

    {"database": {"GLd3aX16zBg": {"subset": "training", "duration": 241.64, "recipe_type": "113",
                                  "video_url": "https://www.youtube.com/watch?v=GLd3aX16zBg",
                                  "annotations": [{"id": 0, "segment": [90, 102],
                                                   "sentence": "spread margarine on two slices of bread"}]}}}

    {"database": {"sJFgo9H6zNo": {"duration": 139.94, "subset": "training",
                                  "annotations": [{"segment": [0.0, 12.4], "label": "Fun sliding down"}]}}}

Translations must be given together with the official file. If the keys are numbers, the video is found by its address.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import (
    Entry,
    Format,
    cut_entry,
    dict_of,
    first_of,
    list_of,
    pair,
    row,
    seconds,
    text_of,
)


def _steps(value: Any) -> list[dict[str, Any]]:
    told = dict_of(value).get("annotations")
    return [dict_of(step) for step in ([told] if isinstance(told, dict) else list_of(told))]  # Kinetics has one


def _is_of(key: str, value: Any) -> bool:
    first = next(iter(_steps(value)), {})
    return bool(key) and ("sentence" in first or {"label", "segment"} <= first.keys())


def _read(key: str, value: Any) -> Iterator[Entry]:
    rows = [
        row(*pair(step.get("segment")), first_of(step, "sentence", "label"), ref=text_of(step.get("id")))
        for step in _steps(value)
    ]
    if isinstance(value["annotations"], dict):
        yield cut_entry(key, rows[0])._replace(split=text_of(value.get("subset")))
        return
    # Some copies number the videos; the address names them.
    yield Entry(text_of(value.get("video_url")) or key, rows, seconds(value.get("duration")))


FORMAT = Format("youcook2", _is_of, _read)
