"""HT-Step: rows that name a step by its number, and the taxonomy, a CSV file with the step's words. Give both.

    video-id,t-start,t-end,label,score
    -25-1nbOki0,333.57,381.52,513,0.319

    global_step_index,activity,step_index,variation,variation_index,headline,paragraph
    513,Make Pastel De Papa,0,none,1,Make mashed potatoes.,"Chop the potatoes and mash away."

`video_splits.json` (`{"train": ["--3t0-oT8Y0"], "val_seen": []}`) gives each video its split. Predictions have this
form, too: all of them are read, with whatever score.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, row, text_of

_ROWS = {"video-id", "t-start", "t-end", "label"}
_TAXONOMY = {"global_step_index", "headline"}


def is_of(key: str, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return {"video-id", "t-start", "t-end", "label"} <= value.keys() or {
        "global_step_index",
        "headline",
    } <= value.keys()


def read(key: str, value: Any) -> Iterator[Entry]:
    if "headline" in value:
        yield Entry("", labels={_label(value["global_step_index"]): text_of(value["headline"])})
    else:
        yield Entry(
            text_of(value["video-id"]), [row(value["t-start"], value["t-end"], "", label=_label(value["label"]))]
        )


def _label(number: Any) -> str:
    return f"htstep {text_of(number).strip()}"


FORMAT = Format("htstep", is_of, read)
