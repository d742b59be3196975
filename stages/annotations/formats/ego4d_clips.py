"""Benchmarks of Ego4D, by the clips of each video: queries (NLQ), moments (MQ), and narrated actions (FHO).

    {"videos": [{"video_uid": "77ed9624-...", "clips": [{"clip_uid": "c1", "annotations": [
        {"labels": [{"label": "cut_vegetables", "primary": true, "video_start_time": 12.0, "video_end_time": 14.0}]},
        {"language_queries": [{"query": "Where did I put the knife?", "video_start_sec": 12}]}]}]}]}

    {"videos": [{"video_uid": "77ed9624-...", "annotated_intervals": [{"narrated_actions": [
        {"narration_text": "#C C picks up a knife", "narration_timestamp_sec": 14.1}]}]}]}

Of the labels that several people gave, those that the data set calls primary are read; all others are dropped and
counted. Queries are questions without answers: a corpus can be compared with them (`longvid decontaminate`), but they
are no events.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, list_of, row, seconds, text_of


def _is_of(key: str, value: Any) -> bool:
    value = dict_of(value)
    return "video_uid" in value and any(isinstance(value.get(name), list) for name in ("clips", "annotated_intervals"))


def _read(key: str, value: Any) -> Iterator[Entry]:
    rows: list[Row] = []
    questions: list[str] = []
    dropped: Counter[str] = Counter()
    for told in (a for clip in _all(value, "clips") for a in _all(clip, "annotations")):
        for label in _all(told, "labels"):
            if label.get("primary") is False:
                dropped["second_pass"] += 1
            else:
                text = text_of(label.get("label")).replace("_", " ")
                rows.append(row(label.get("video_start_time"), label.get("video_end_time"), text))
        asked = [text for query in _all(told, "language_queries") if (text := text_of(query.get("query")).strip())]
        dropped["no_answer"] += len(asked)
        questions += asked
    for action in (a for interval in _all(value, "annotated_intervals") for a in _all(interval, "narrated_actions")):
        at = seconds(action.get("narration_timestamp_sec"))
        rows.append(Row(at, at, text_of(action.get("narration_text")), is_point=True))
    yield Entry(
        text_of(value["video_uid"]), rows, questions=questions, split=text_of(value.get("split")), dropped=dropped
    )


def _all(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [dict_of(inner) for inner in list_of(value.get(name))]


FORMAT = Format("ego4d_clips", _is_of, _read)
