"""Captions of HowTo100M: one JSON file for all videos, or one CSV file per video, named after it.

    {"nVbIUDjzWY4": {"start": [9.26, 11.0],
                     "end": [12.53, 14.9],
                     "text": ["hi everybody today we make", "a birdhouse out of wood"]}}

    start,end,text
    9.26,12.53,hi everybody today we make

The CSV files have no stop words. Words that rolling captions repeat from the previous line are removed; see `repair`.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, list_of, row


def _is_of(key: str, value: Any) -> bool:
    if not isinstance(value, dict) or not {"start", "end", "text"} <= value.keys():
        return False
    if key:
        return all(isinstance(value[name], list) for name in ("start", "end", "text"))
    return value.keys() == {"start", "end", "text"} and all(isinstance(cell, str) for cell in value.values())


def _read(key: str, value: Any) -> Iterator[Entry]:
    if not key:
        yield Entry("", [row(value["start"], value["end"], value["text"], "speech")])
        return
    columns = [list_of(value[name]) for name in ("start", "end", "text")]
    lengths = [len(column) for column in columns]
    lost = max(lengths) - min(lengths)
    rows = [row(start, end, text, "speech") for start, end, text in zip(*columns, strict=False)]
    yield Entry(key, rows, dropped={"no_time_or_text": lost})


FORMAT = Format("howto100m", _is_of, _read)
