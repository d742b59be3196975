"""The text file of Charades-STA; actions of Charades and their list of classes, which must be given together.

    AO8RW 0.0 6.9##a person is putting a book on a shelf.

    {"7UPGT": {"subset": "training", "duration": 23.21, "actions": [[149, 16.0, 22.2]]}}

    c000 Holding some clothes
    c149 Someone is laughing

Spans that exceed the end of the video, which is frequent, are cut there.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, list_of, row, seconds

_STA = re.compile(r"(\S{1,100}) (\S{1,20}) (\S{1,20})##(.*)")
_CLASS = re.compile(r"c(\d{3}) (.+)")


def _is_of(key: str, value: Any) -> bool:
    if isinstance(value, str):
        first = value.lstrip()[:2000].split("\n", 1)[0]
        return (_STA.fullmatch(first) or _CLASS.fullmatch(first)) is not None
    return bool(key) and isinstance(value, dict) and isinstance(value.get("actions"), list)


def _read(key: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, dict):
        actions = [action for action in map(list_of, value["actions"]) if len(action) == 3]
        rows = [row(start, end, "", label=f"charades {seconds(number) or 0:.0f}") for number, start, end in actions]
        yield Entry(key, rows, seconds(value.get("duration")))
        return
    lost = 0
    for line in filter(str.strip, value.split("\n")):
        if match := _STA.fullmatch(line.strip()):
            yield Entry(match[1], [row(match[2], match[3], match[4])])
        elif match := _CLASS.fullmatch(line.strip()):
            yield Entry("", labels={f"charades {int(match[1])}": match[2]})
        else:
            lost += 1
    if lost:
        yield Entry("", dropped={"no_time_or_text": lost})


FORMAT = Format("charades", _is_of, _read)
