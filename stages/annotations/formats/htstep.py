"""HT-Step: annotations or predictions with numbers of steps, and the taxonomy, a CSV file with their texts. Give both.

    video-id,t-start,t-end,label,score
    -25-1nbOki0,333.57,381.52,513,0.319

    global_step_index,activity,step_index,variation,variation_index,headline,paragraph
    513,Make Pastel De Papa,0,none,1,Make mashed potatoes.,"Chop the potatoes and mash away."

`annotations.json` contains the numbers of the steps as well:

    {"-25-1nbOki0": {"subset": "train", "activity": "Make Pastel De Papa",
                     "annotations": [{"id": 513, "segment": [333.57, 381.52]}]}}

`video_splits.json` (`{"train": ["--3t0-oT8Y0"], "val_seen": []}`) has the split of each video. Rows with a score are
predictions of a model, which are read only with `--annotation-format htstep`. Predictions with a score below 0.5 are
more often wrong than right, so they are dropped and counted.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, dict_of, list_of, pair, row, seconds, text_of

_ROWS = {"video-id", "t-start", "t-end", "label"}
_TAXONOMY = {"global_step_index", "headline"}
_LEAST_SCORE = 0.5


def _is_of(key: str, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if key:
        steps = list_of(value.get("annotations"))
        return bool(steps) and "activity" in value and {"id", "segment"} <= dict_of(steps[0]).keys()
    return value.keys() >= _ROWS or value.keys() >= _TAXONOMY


def _read(key: str, value: Any) -> Iterator[Entry]:
    if key:
        steps = [dict_of(step) for step in list_of(value["annotations"])]
        rows = [row(*pair(step.get("segment")), "", label=_label(step.get("id"))) for step in steps]
        yield Entry(key, rows, split=text_of(value.get("subset")))
    elif "headline" in value:
        yield Entry("", labels={_label(value["global_step_index"]): text_of(value["headline"])})
    elif (score := seconds(value.get("score"))) is not None and score < _LEAST_SCORE:
        yield Entry(text_of(value["video-id"]), dropped={"low_score": 1})
    else:
        yield Entry(
            text_of(value["video-id"]), [row(value["t-start"], value["t-end"], "", label=_label(value["label"]))]
        )


def _label(number: Any) -> str:
    return f"htstep {text_of(number).strip()}"


def _is_prediction(key: str, value: Any) -> bool:
    return "score" in dict_of(value) and _is_of(key, value)


FORMAT = Format("htstep", _is_of, _read, _is_prediction)
