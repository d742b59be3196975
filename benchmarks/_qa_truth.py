"""Whether the answers of pairs of the demo world are right, from the script of the video and the words of the pair.

Nothing of the writer's plans or events is used: the question is read as a person reads it.
"""

import re
from typing import Any

from pipeline.demo.script import Script
from pipeline.demo.texts import sentence
from stages.qa.realize.clause import inverted

Pair = dict[str, Any]
Told = tuple[float, float, str]
_QUOTED = re.compile(r'"([^"]*)"')
_SPAN = re.compile(r"([\d.]+) s (?:to|and) ([\d.]+) s")
_LISTED = re.compile(r'\((\d)\) "([^"]*)"')
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_ROUNDING = 0.06
_NONE = "none of these"
_OTHER_ORDER = "none, since the second of these two events comes before the first"


def is_right(pair: Pair, script: Script) -> bool:
    """Whether the answer is right, and of several options no other one is."""
    events = [(e.start_s, e.end_s, sentence(e.act).lower()) for e in script.events]
    scenes = [(s.start_s, s.end_s, s.name.lower()) for s in script.scenes]
    options = pair["options"] or [pair["answer"]]
    if pair["form"] in ("summary", "brief", "part", "timed_part"):
        return _is_story(pair, events)
    fits = [option for option in options if option.lower() != _NONE and _fits(pair, option, events, scenes)]
    return [pair["answer"]] == fits or (pair["answer"].lower() == _NONE and not fits)


def _fits(pair: Pair, option: str, events: list[Told], scenes: list[Told]) -> bool:
    """Whether an option answers the question."""
    question, form, text = pair["question"], pair["form"], option.lower()
    asked = _asked(question, events)
    if form in ("when", "occurrence"):
        found = sorted(t for t in (*events, *scenes) if t[2] == asked[0])
        place = len(found) - 1 if "last time" in question else _number(question) - 1
        return _same_span(found[place], option) if place < len(found) else f"only {len(found)} times" in text
    if form == "what_at":
        start, end = (float(time) for time in _SPAN.search(question).groups())  # type: ignore[union-attr]
        return any(t[2] == text and min(end, t[1]) - max(start, t[0]) > (end - start) / 2 for t in events)
    if form in ("neighbour", "next_scene"):
        row = events if form == "neighbour" else scenes
        at = [t[2] for t in row].index(asked[0])
        place = at + (_number(question) if _is_after(question) else -_number(question))
        return 0 <= place < len(row) and row[place][2] == text
    if form == "between":
        low, high = sorted(t for t in events if t[2] in asked)
        return any(t[2] == text and low[1] <= t[0] and t[1] <= high[0] for t in events)
    if form == "after_before":
        first, second = (next(t for t in events if t[2] == words) for words in asked)
        if text == _OTHER_ORDER:
            return second[1] <= first[0]
        return any(t[2] == text and first[1] <= t[0] and t[1] <= second[0] for t in events)
    if form == "order":
        listed = {number: words.lower() for number, words in _LISTED.findall(question)}
        starts = [min(t[0] for t in events if t[2] == listed[number]) for number in re.findall(r"\d", option)]
        return starts == sorted(starts)
    if form in ("first_or_last", "first_or_last_scene"):
        row = events if form == "first_or_last" else scenes
        starts = {o: min(t[0] for t in row if t[2] == o.lower()) for o in pair["options"]}
        return starts[option] == (max if " last" in question else min)(starts.values())
    if form == "scene_of":
        [event] = [t for t in events if t[2] == asked[0]]
        return any(t[2] == text and t[0] <= event[0] and event[1] <= t[1] for t in scenes)
    if form == "in_scene":
        [scene] = [t for t in scenes if t[2] == asked[0]]
        return any(t[2] == text and scene[0] <= t[0] and t[1] <= scene[1] for t in events)
    return int(option) == _count(question, asked, events)


def _count(question: str, asked: list[str], events: list[Told]) -> int:
    """How often the repeated one of the asked events happens: at all, or before or after the other one."""
    if len(asked) == 1:
        return sum(t[2] == asked[0] for t in events)
    times = {text: [t for t in events if t[2] == text] for text in asked}
    counted, anchor = sorted(asked, key=lambda text: -len(times[text]))
    [there] = times[anchor]
    if " after " in f" {question.lower()}":
        return sum(t[0] >= there[1] for t in times[counted])
    return sum(t[1] <= there[0] for t in times[counted])


def _asked(question: str, events: list[Told]) -> list[str]:
    """The texts of the events and scenes that a question names: quoted, or as "does the red circle bounce"."""
    quoted = [text.lower() for text in _QUOTED.findall(question)]
    # "enters from the left" holds "enters": the longest is meant.
    said = [t[2] for t in events if (does := inverted(t[2])) and does in question]
    return [*quoted, *sorted(said, key=len)[-1:]]


def _number(question: str) -> int:
    """The number that a question tells: "the second thing" is 2, the next one the first."""
    words = re.findall(r"\bthe (first|second|third|fourth|fifth)\b", _QUOTED.sub("", question))
    return _ORDINALS[words[0]] if words else 1


def _is_after(question: str) -> bool:
    return re.search(r"\b(?:before|precedes|backwards)\b", _QUOTED.sub("", question)) is None


def _same_span(told: Told, option: str) -> bool:
    found = _SPAN.search(option)
    return found is not None and all(abs(told[i] - float(found[i + 1])) <= _ROUNDING for i in range(2))


def _is_story(pair: Pair, events: list[Told]) -> bool:
    """Whether every line tells of an event, in order, inside the asked part, with its times where it gives some."""
    part = _SPAN.search(pair["question"])
    low, high = (float(part[1]), float(part[2])) if part else (0.0, float("inf"))
    last = -1.0
    for line in pair["answer"].split("\n"):
        text = re.sub(r"^\d+\. ", "", line).rstrip(".")
        times, _, words = text.rpartition(": ")
        start = min(
            (t[0] for t in events if t[2] == words.lower() and t[0] > last and t[0] >= low - _ROUNDING), default=-1
        )
        found = [t for t in events if t[0] == start]
        if not found or found[0][1] > high + _ROUNDING or (times and not _same_span(found[0], times)):
            return False
        last = start
    return True
