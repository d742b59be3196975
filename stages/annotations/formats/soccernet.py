"""SoccerNet: actions and comments of a match (`Labels-v2.json`, `Labels-caption.json`), a file of two halves.

    {"UrlLocal": "england_epl/2014-2015/2014-08-16 - 19-30 Arsenal 2 - 1 Crystal Palace/",
     "annotations": [{"gameTime": "1 - 00:31", "position": "31460", "label": "Ball out of play",
                      "team": "not applicable", "visibility": "visible"},
                     {"gameTime": "2 - 00:05", "position": "5200", "label": "Goal", "visibility": "not shown"}]}

`position` is in milliseconds from the start of the half, whose video is `1_720p.mkv` or `1_224p.mkv` in the folder of
the match. Actions are points in time; those that the video does not show are dropped and counted.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, first_of, list_of, seconds, text_of

_HALF = re.compile(r"\s*([12])\s*-")


def _is_of(key: str, value: Any) -> bool:
    told = list_of(dict_of(value).get("annotations"))
    return not key and {"gameTime", "position"} <= dict_of(told[0] if told else None).keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    folder = text_of(value.get("UrlLocal")).strip("/")
    halves: dict[str, list[Row]] = {}
    hidden = 0
    for told in map(dict_of, list_of(value["annotations"])):
        half, at_ms = _HALF.match(text_of(told.get("gameTime"))), seconds(told.get("position"))
        if told.get("visibility") == "not shown":
            hidden += 1
            continue
        at = None if half is None or at_ms is None else at_ms / 1000
        text = text_of(first_of(told, "description", "label"))
        kind = "caption" if "description" in told else "event"
        halves.setdefault(half[1] if half else "1", []).append(Row(at, at, text, kind, is_point=True, has_unit=True))
    for half_name, rows in halves.items():
        path = f"{folder}/{half_name}" if folder else half_name
        # Either of the two sizes in which the matches are published.
        yield Entry(f"{path}_720p.mkv", rows, clip_of=f"{path}_224p.mkv")
    if hidden:
        yield Entry("", dropped={"not_visible": hidden})


FORMAT = Format("soccernet", _is_of, _read)
