"""Narrations of Ego4D and Ego-Exo4D: sentences at points in time, and summaries of intervals.

    {"videos": {"77ed9624-f87b-4196-9a0e-95b7023b18e4": {"narration_pass_1": {
        "narrations": [{"timestamp_sec": 3.42, "narration_text": "#C C picks up a knife", "annotation_uid": "..."},
                       {"timestamp_sec": 5.1, "narration_text": "#O man X opens the #unsure"}],
        "summaries": [{"start_sec": 0.0, "end_sec": 300.0, "summary_text": "#Summary C cooked a meal"}]},
     "narration_pass_2": {...}}}}

    {"annotations": {"0a05b1de-...": [{"descriptions": [{"text": "C holds the ball.", "timestamp": 0.82}],
                                       "rejected": false}]}}

Two people narrated each video. The second pass describes the same in other words; it is dropped and counted, unless the
first has no narrations. Narrations without an event (only `#unsure`) are handled by the stage `write_qa`.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, first_of, list_of, row, seconds, text_of

_PASSES = ("narration_pass_1", "narration_pass_2")


def _is_of(key: str, value: Any) -> bool:
    if isinstance(value, list):
        return bool(key) and isinstance(dict_of(next(iter(value), None)).get("descriptions"), list)
    return bool(key) and isinstance(value, dict) and any(name in value for name in (*_PASSES, "narrations"))


def _read(key: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, list):
        accepted = [dict_of(told) for told in value if dict_of(told).get("rejected") is not True]
        passes = [{"narrations": told.get("descriptions")} for told in accepted][:2] + [{}, {}]
    else:
        passes = [dict_of(value.get(name)) for name in _PASSES] if "narrations" not in value else [value, {}]
    first, second = (list_of(told.get("narrations")) for told in passes[:2])
    rows = [_point(dict_of(n)) for n in first or second]
    for summary in map(dict_of, list_of((passes[0] if first else passes[1]).get("summaries"))):
        text = text_of(summary.get("summary_text")).removeprefix("#Summary").removeprefix("#summary")
        rows.append(row(summary.get("start_sec"), summary.get("end_sec"), text, "caption"))
    left_out = len(second) if first else 0
    yield Entry(key, rows, dropped={"second_pass": left_out})


def _point(narration: dict[str, Any]) -> Row:
    at = seconds(first_of(narration, "timestamp_sec", "timestamp", "time"))
    return Row(at, at, text_of(first_of(narration, "narration_text", "text")), is_point=True)


FORMAT = Format("ego4d_narrations", _is_of, _read)
