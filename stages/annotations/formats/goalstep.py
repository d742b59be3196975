"""Ego4D Goal-Step: goals, steps and substeps of a video as a tree; keysteps of Ego-Exo4D.

    {"videos": [{"video_uid": "0e6fb738-05fc-4dd5-9746-a8e10efe8c20", "start_time": 0.02, "end_time": 3521.4,
                 "goal_description": "Cooking rice dish",
                 "segments": [{"start_time": 145.6, "end_time": 488.3, "step_description": "dices cabbages with knife",
                               "segments": [{"start_time": 145.6, "end_time": 158.9,
                                             "step_description": "cut onion"}]}]}]}

    {"annotations": {"0a05b1de-...": {"take_name": "sfu_cooking_003_3", "take_uid": "0a05b1de-...", "segments": [
        {"start_time": 1.2, "end_time": 5.6, "step_name": "Get eggs", "step_description": "Get eggs from a box"}]}}}

A step and its substeps are separate events, which overlap. The goal is the caption of the whole video.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, first_of, list_of, row, seconds, text_of


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, dict) and "segments" in value and bool(value.keys() & {"video_uid", "take_uid"})


def _read(key: str, value: Any) -> Iterator[Entry]:
    goal = row(value.get("start_time"), value.get("end_time"), value.get("goal_description"), "caption")
    rows = ([goal] if goal.text else []) + list(_steps(value["segments"]))
    yield Entry(text_of(first_of(value, "video_uid", "take_name", "take_uid")), rows, seconds(value.get("end_time")))


def _steps(segments: Any) -> Iterator[Row]:
    for segment in map(dict_of, list_of(segments)):
        text = first_of(segment, "step_description", "step_name", "step_category")
        yield row(segment.get("start_time"), segment.get("end_time"), text)
        yield from _steps(segment.get("segments"))


FORMAT = Format("goalstep", _is_of, _read)
