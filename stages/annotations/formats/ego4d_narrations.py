"""Narrations of Ego4D and Ego-Exo4D: sentences at points in time, and summaries of intervals.

    {"videos": {"77ed9624-f87b-4196-9a0e-95b7023b18e4": {"narration_pass_1": {
        "narrations": [{"timestamp_sec": 3.42, "narration_text": "#C C picks up a knife", "annotation_uid": "..."},
                       {"timestamp_sec": 5.1, "narration_text": "#O man X opens the #unsure"}],
        "summaries": [{"start_sec": 0.0, "end_sec": 300.0, "summary_text": "#Summary C cooked a meal"}]},
     "narration_pass_2": {...}}}}

    {"annotations": {"0a05b1de-...": [{"descriptions": [{"text": "C holds the ball.", "timestamp": 0.82}],
                                       "rejected": false}]}}

Two people or more narrated each video. The other passes describe the same in other words: all but the first that has
narrations are dropped and counted. Narrations without an event (only `#unsure`) are handled by the stage `write_qa`.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, first_of, list_of, row, seconds, text_of

_PASSES = ("narration_pass_1", "narration_pass_2")
_POINT = ("timestamp_sec", "timestamp", "time")


def _is_of(key: str, value: Any) -> bool:
    if isinstance(value, list):
        return bool(key) and isinstance(dict_of(next(iter(value), None)).get("descriptions"), list)
    if not key or not isinstance(value, dict):
        return False
    narrations = list_of(value.get("narrations"))
    return any(name in value for name in _PASSES) or any(map(_is_point, narrations[:5]))


def _is_point(narration: Any) -> bool:
    told = dict_of(narration)
    return seconds(first_of(told, *_POINT)) is not None and not any(name.startswith(("start", "end")) for name in told)


def _read(key: str, value: Any) -> Iterator[Entry]:
    rejected = 0
    if isinstance(value, list):
        annotators = list(map(dict_of, value))
        passes = [{"narrations": told.get("descriptions")} for told in annotators if told.get("rejected") is not True]
        rejected = sum(len(list_of(told.get("descriptions"))) for told in annotators if told.get("rejected") is True)
    else:
        passes = [dict_of(value.get(name)) for name in _PASSES] if "narrations" not in value else [value]
    numbers = [len(list_of(told.get("narrations"))) for told in passes]
    kept = passes[next((i for i, number in enumerate(numbers) if number), 0)] if passes else {}
    rows = [_point(dict_of(n)) for n in list_of(kept.get("narrations"))]
    for summary in map(dict_of, list_of(kept.get("summaries"))):
        text = text_of(summary.get("summary_text")).removeprefix("#Summary").removeprefix("#summary")
        rows.append(row(summary.get("start_sec"), summary.get("end_sec"), text, "caption"))
    left_out = sum(numbers) - len(list_of(kept.get("narrations")))
    yield Entry(key, rows, dropped={"second_pass": left_out, "rejected": rejected})


def _point(narration: dict[str, Any]) -> Row:
    at = seconds(first_of(narration, *_POINT))
    return Row(at, at, text_of(first_of(narration, "narration_text", "text")), is_point=True)


FORMAT = Format("ego4d_narrations", _is_of, _read)
