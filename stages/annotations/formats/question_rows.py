"""Questions with or without options: MLVU, Video-MME, LVBench, CG-Bench, STAR, TVQA, HourVideo, VideoChat2-IT, TimeIT.

    {"video": "count_126.mp4", "question": "How often does he play?", "candidates": ["2", "1", "5"], "answer": "1"}
    {"videoID": "fFjv93ACGo8", "question": "What is it?", "options": ["A. A film.", "B. A song."], "answer": "B"}
    {"video_id": "86CxyhFV9MI", "question": "Who speaks?", "option0": "He", "option1": "She", "correct_choice": 1}
    {"vid_name": "s02e12_seg02_clip_09", "q": "What does he do?", "a0": "He sits.", "a1": "He runs.", "answer_idx": 1}
    {"video": "a.mp4", "QA": [{"i": "", "q": "What does he do?", "a": "He runs."}]}
    {"4c64e0d9-...": {"benchmark_dataset": [{"question": "Who?", "answer_1": "He", "answer_2": "She",
                                             "correct_answer_label": "B"}]}}

    video,question,answer,qid,type,a0,a1,a2,a3,a4
    4010069381,how do they play,0,6,CH,roll the handle,tap their feet,strum,hit with sticks,pat with hand

An answer is a text, a letter or a number; each row becomes a conversation in the form of longvid. A question about a
part of the video (`start`, `end`) names it: "From 11 to 19.6 seconds: ...". Benchmarks are for evaluation: never train
on them.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Turns, dict_of, first_of, list_of, seconds, text_of

_LETTERED = re.compile(r"\s*(?:\(([A-H])\)|([A-H])[.:)])\s*(.*)", re.DOTALL)
_NUMBERED = [
    (f"a{i}", f"option{i}", f"option {i}", f"option_{i}", f"answer_choice_{i}", f"answer_{i}", f"{chr(65 + i)}")
    for i in range(8)
]
_INDEXES = ("correct_choice", "answer_idx", "answer_id", "correct_idx", "correct_index", "truth")
_ANSWERS = ("answer", "correct_answer", "correct_answer_label", "right_answer", "gt")
# Each name of a question with those of its answer: a row with the options A to H has no answer `A`.
_ASKED = {"question": _ANSWERS, "q": (*_ANSWERS, "a"), "Q": (*_ANSWERS, "A")}
_VIDEO = (
    "videoID", "video_path", "video", "video_id", "video_name", "vid", "vid_name", "video_uid", "youtube_url",
    "link_selected", "yt_clip_link", "q_uid", "key",
)  # fmt: skip


def _is_of(key: str, value: Any) -> bool:
    return bool(_asked(value)) or _is_ego_mcq(value)


def _read(key: str, value: Any) -> Iterator[Entry]:
    if _is_ego_mcq(value):
        yield from _ego_mcq(value)
        return
    asked = _asked(value)
    shared = {**dict_of(value.get("info")), **dict_of(value.get("video_metadata")), **value}
    video = text_of(first_of(shared, *_VIDEO)) or (key if asked[0] is not value else "")
    duration_s = seconds(value.get("duration"))
    for found in asked:
        own = text_of(first_of(found, *_VIDEO[:-2])) or video
        yield entry_of(found, own, duration_s, (value.get("start"), value.get("end")))


def nested_questions(value: Any, video: str, part: tuple[Any, Any] = (None, None)) -> Iterator[Entry]:
    """Yields the questions in the lists of a record of another form, which is about a video or a part of it."""
    for found in _asked(value):
        yield entry_of(found, text_of(first_of(found, *_VIDEO[:-2])) or video, part=part)


def entry_of(
    value: dict[str, Any], video: str, duration_s: float | None = None, part: tuple[Any, Any] = (None, None)
) -> Entry:
    """Returns the conversation of a question, or why there is none.

    `part` is the start and the end of what it is about, unless the question has its own.
    """
    name = next(name for name in _ASKED if name in value)
    # In VideoChat2-IT, the instruction is the question of a caption.
    question = text_of(first_of(value, name, "i")).strip()
    turns = None
    options = [_LETTERED.sub(r"\3", option).strip() for option in _options(value)]
    answer = first_of(value, *_ASKED[name])
    if answer is None and (index := seconds(first_of(value, *_INDEXES))) is not None:
        answer = int(index)
    if not question:
        reason = "empty_question"
    elif answer is None:
        reason = "no_answer"
    elif len({option.lower() for option in options}) < len(options):
        reason = "doubled_options"
    else:
        reason = "answer_not_an_option"
        turns = _turns((_part(value.get("start"), value.get("end")) or _part(*part)) + question, options, answer)
    if turns is None:
        untold = ["\n".join([question, *options])] if question else []
        return Entry(video, [], duration_s, dropped={reason: 1}, questions=untold)
    return Entry(video, [], duration_s, conversations=[turns])


def _asked(value: Any) -> list[dict[str, Any]]:
    """Returns the record itself if it is a question, or the questions in its lists."""
    value = dict_of(value)
    if _is_question(value):
        return [value]
    lists = [list_of(inner) for inner in value.values() if isinstance(inner, list)]
    return [found for inner in lists for found in map(dict_of, inner) if _is_question(found, "nested")]


def _is_question(value: dict[str, Any], video: str = "") -> bool:
    name = next((name for name in _ASKED if isinstance(value.get(name), str)), "")
    if not name:
        return False
    return (
        bool(_options(value)) or first_of(value, *_ASKED[name]) is not None or bool(video or first_of(value, *_VIDEO))
    )


def _options(value: dict[str, Any]) -> list[str]:
    told = first_of(value, "candidates", "options", "choices")
    listed = list(told.values()) if isinstance(told, dict) else list_of(told)
    found = listed or [first_of(value, *names) for names in _NUMBERED]
    # LongVideoBench fills its five columns with "N/A".
    texts = [text_of(option.get("choice") if isinstance(option, dict) else option) for option in found]
    told_options = [text for text in texts if text and text != "N/A"]
    return told_options if len(told_options) > 1 else []


def _part(start: Any, end: Any) -> str:
    start, end = seconds(start), seconds(end)
    return "" if start is None or end is None or end <= start else f"From {start:g} to {end:g} seconds: "


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


def _is_ego_mcq(value: Any) -> bool:
    value = dict_of(value)
    return "clip_text" in dict_of(value.get("query")) and bool(dict_of(value.get("choices")))


def _ego_mcq(value: dict[str, Any]) -> Iterator[Entry]:
    """Yields the narration of a question of EgoMCQ, whose options are clips, and the videos of the clips."""
    asked = value["query"]
    yield Entry(text_of(asked.get("video_uid")), dropped={"no_answer": 1}, questions=[text_of(asked["clip_text"])])
    yield from (Entry(text_of(dict_of(clip).get("video_uid"))) for clip in value["choices"].values())


FORMAT = Format("questions", _is_of, _read)
