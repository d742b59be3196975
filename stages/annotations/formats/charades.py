"""Charades-STA; actions of Charades (CSV, JSON) and their list of classes, which must be given together.

    AO8RW 0.0 6.9##a person is putting a book on a shelf.

    {"7UPGT": {"subset": "training", "duration": 23.21, "actions": [[149, 16.0, 22.2]]}}

    id,subject,scene,script,objects,descriptions,actions,length
    46GP8,HR43,Kitchen,A person cooks.,food;stove,A person cooks food on a stove.,c092 11.90 21.20;c147 0.00 12.60,24.83

    c000 Holding some clothes
    c149 Someone is laughing

The first of the descriptions is the caption of the whole video; `script` is what the actors were asked to do. Spans
that exceed the end of the video, which is frequent, are cut there.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, list_of, row, seconds, text_of, whole_video

_STA = re.compile(r"(\S{1,100}) (\S{1,20}) (\S{1,20})##(.*)")
_ACTION = re.compile(r"\s*c(\d{3}) (\S{1,20}) (\S{1,20})\s*")
_COLUMNS = {"id", "script", "descriptions", "actions", "length"}
_CLASS = re.compile(r"c(\d{3}) (.+)")


def _is_of(key: str, value: Any) -> bool:
    if isinstance(value, str):
        first = value.lstrip()[:2000].split("\n", 1)[0]
        return (_STA.fullmatch(first) or _CLASS.fullmatch(first)) is not None
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("actions"), list) if key else value.keys() >= _COLUMNS


def _read(key: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, dict) and not key:
        yield _table_row(value)
        return
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


def _table_row(value: dict[str, Any]) -> Entry:
    cells = [cell for cell in text_of(value["actions"]).split(";") if cell.strip()]
    actions = [action for cell in cells if (action := _ACTION.fullmatch(cell))]
    rows = [
        row(start, end, "", label=f"charades {int(number)}") for number, start, end in (a.groups() for a in actions)
    ]
    told = [text for text in text_of(value["descriptions"]).split(";") if text.strip()]
    dropped = {"no_time_or_text": len(cells) - len(actions), "other_caption": max(0, len(told) - 1)}
    captions = [whole_video(text) for text in told[:1]]
    return Entry(text_of(value["id"]), captions + rows, seconds(value["length"]), dropped=dropped)


FORMAT = Format("charades", _is_of, _read)
