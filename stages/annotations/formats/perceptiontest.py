"""Perception Test: questions of a video, and its actions, whose times are microseconds.

    {"video_1234": {"metadata": {"split": "train", "frame_rate": 30.0, "num_frames": 1000},
                    "mc_question": [{"question": "How many?", "options": ["1", "2", "3"], "answer_id": 1}],
                    "action_localisation": [{"label": "Putting something into something", "timestamps": [0, 1000000]}],
                    "sound_localisation": [{"label": "Interaction:Other", "timestamps": [1000000, 2000000]}]}}

Labels of sounds are dropped and counted.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, list_of, pair, seconds, text_of
from stages.annotations.formats.question_rows import entry_of

_PER_S = 1_000_000


def _is_of(key: str, value: Any) -> bool:
    return bool(key) and bool(dict_of(value).keys() & {"action_localisation", "mc_question", "sound_localisation"})


def _read(key: str, value: Any) -> Iterator[Entry]:
    shot = dict_of(value.get("metadata"))
    frames, rate = seconds(shot.get("num_frames")), seconds(shot.get("frame_rate"))
    duration_s = frames / rate if frames and rate else None
    rows = []
    for action in map(dict_of, list_of(value.get("action_localisation"))):
        start, end = map(seconds, pair(action.get("timestamps")))
        if start is None or end is None:
            rows.append(Row(None, None, text_of(action.get("label"))))
        else:
            rows.append(Row(start / _PER_S, end / _PER_S, text_of(action.get("label")), has_unit=True))
    sounds = len(list_of(value.get("sound_localisation")))
    yield Entry(key, rows, duration_s, split=text_of(shot.get("split")), dropped={"sound": sounds})
    asked = [dict_of(question) for question in list_of(value.get("mc_question"))]
    yield from (entry_of(question, key, duration_s) for question in asked if "question" in question)


FORMAT = Format("perceptiontest", _is_of, _read)
