"""CrossTask: one CSV file per video without header, named TASK_VIDEO.csv, and a text file with the steps of the tasks.

    113766_yIRL8Ol1JdA.csv:  1,24.86,34.02
                             2,36.71,40.48
    tasks_primary.txt:       113766
                             Grow Mushrooms
                             http://www.wikihow.com/...
                             2
                             open bag,pour in water

Give both, since a CSV file contains only the numbers of the steps.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, row

_STEPS = re.compile(r"\s*\d{1,3},\d{1,6}(?:\.\d+)?,\d{1,6}(?:\.\d+)?\s*")
_NAME = re.compile(r"(\d{3,9})_(.{1,60})\.csv", re.IGNORECASE)
_TASK = re.compile(r"^(\d{3,9})\n[^\n]*\nhttps?://[^\n]*\n\d{1,3}\n([^\n]*)$", re.MULTILINE)


def _is_of(key: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if _NAME.fullmatch(key):
        return _STEPS.fullmatch(value.split("\n", 1)[0]) is not None
    return _TASK.match(value.lstrip()[:5000]) is not None


def _read(key: str, value: Any) -> Iterator[Entry]:
    if (name := _NAME.fullmatch(key)) is None:
        labels = {
            f"crosstask {task[1]} {number}": text.strip()
            for task in _TASK.finditer(value)
            for number, text in enumerate(task[2].split(","), 1)
        }
        yield Entry("", labels=labels)
        return
    lines = [line.split(",") for line in value.split("\n") if line.strip()]
    good = [line for line in lines if len(line) == 3]
    rows = [row(start, end, "", label=f"crosstask {name[1]} {step.strip()}") for step, start, end in good]
    lost = len(lines) - len(good)
    yield Entry(name[2], rows, dropped={"no_time_or_text": lost})


FORMAT = Format("crosstask", _is_of, _read)
