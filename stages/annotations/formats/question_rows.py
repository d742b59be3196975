"""Questions with options: MLVU, LVBench, MVBench, Video-MME, LongVideoBench, NExT-QA, EgoSchema, ActivityNet-QA.

    {"video": "count_126.mp4", "question": "How often does he play?", "candidates": ["2", "1", "5"], "answer": "1"}
    {"videoID": "fFjv93ACGo8", "question": "What is it?", "options": ["A. A film.", "B. A song."], "answer": "B"}
    {"video_id": "86CxyhFV9MI", "question": "Who speaks?", "option0": "He", "option1": "She", "correct_choice": 1}

    video,question,answer,qid,type,a0,a1,a2,a3,a4
    4010069381,how do they play,0,6,CH,roll the handle,tap their feet,strum,hit with sticks,pat with hand

An answer is a text, a letter or a number; each row becomes a conversation in the form of longvid. Benchmarks are for
evaluation: never train on them.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Turns, first_of, list_of, seconds, text_of

_LETTERED = re.compile(r"\s*(?:\(([A-H])\)|([A-H])[.:)])\s*(.*)", re.DOTALL)
_NUMBERED = [(f"a{i}", f"option{i}", f"option {i}") for i in range(8)]
_ANSWERS = ("answer", "correct_choice", "correct_answer", "correct_answer_label", "truth")


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, dict) and "question" in value and (bool(_options(value)) or "answer" in value)


def _read(key: str, value: Any) -> Iterator[Entry]:
    video = text_of(first_of(value, "videoID", "video_path", "video", "video_id", "video_name", "vid", "q_uid"))
    question, turns = text_of(value["question"]).strip(), None
    options = [_LETTERED.sub(r"\3", option).strip() for option in _options(value)]
    if not question:
        reason = "empty_question"
    elif (answer := first_of(value, *_ANSWERS)) is None:
        reason = "no_answer"
    elif len({option.lower() for option in options}) < len(options):
        reason = "doubled_options"
    else:
        reason = "answer_not_an_option"
        turns = _turns(question, options, answer)
    duration_s = seconds(value.get("duration"))
    if turns is None:
        untold = ["\n".join([question, *options])] if question else []
        yield Entry(video, [], duration_s, dropped={reason: 1}, questions=untold)
    else:
        yield Entry(video, [], duration_s, conversations=[turns])


def _options(value: dict[str, Any]) -> list[str]:
    listed = list_of(first_of(value, "candidates", "options", "choices"))
    found = listed or [first_of(value, *names) for names in _NUMBERED]
    # LongVideoBench fills its five columns with "N/A".
    return [text for option in found if (text := text_of(option)) and text != "N/A"]


def _turns(question: str, options: list[str], answer: Any) -> Turns | None:
    told = text_of(answer).strip()
    if options:
        index = _index(options, answer, told)
        if index is None:
            return None
        lettered = [f"({chr(65 + i)}) {option}" for i, option in enumerate(options)]
        question = "\n".join([question, *lettered, "Answer with the letter and the text of the right option."])
        told = lettered[index]
    if not told:
        return None
    return [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": told}]


def _index(options: list[str], answer: Any, told: str) -> int | None:
    small = [option.lower() for option in options]
    bare = _LETTERED.sub(r"\3", told).strip().lower()
    if bare and bare in small and not isinstance(answer, int):
        return small.index(bare)
    lettered = _LETTERED.fullmatch(told)
    if letter := (lettered[1] or lettered[2]) if lettered else told if re.fullmatch("[A-H]", told) else "":
        return ord(letter) - 65 if ord(letter) - 65 < len(options) else None
    number = seconds(told)
    return int(number) if number is not None and number == int(number) and 0 <= number < len(options) else None


FORMAT = Format("questions", _is_of, _read)
