"""From a video's events to its QA pairs: all tasks, audited, in a fixed order, right options in balanced positions."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import chain, repeat, zip_longest
from typing import Any

from stages.annotations.conversations import question_and_answer
from stages.qa import captioning, event_counting, event_relationship, scene_relationship, temporal_grounding
from stages.qa.audit import problems
from stages.qa.config import WritingConfig
from stages.qa.draft import Draft, Template
from stages.qa.video import Video, make_video

TEMPLATES: dict[str, dict[str, Template]] = {
    "captioning": captioning.TEMPLATES,
    "temporal_grounding": temporal_grounding.TEMPLATES,
    "event_relationship": event_relationship.TEMPLATES,
    "scene_relationship": scene_relationship.TEMPLATES,
    "event_counting": event_counting.TEMPLATES,
}
_LETTERS = "ABCDEFGH"

Pair = dict[str, Any]


def write_pairs(events: Iterable[Pair], duration_s: float, config: WritingConfig, video_id: str) -> list[Pair]:
    """Rows of the schema QA less the two query columns, with `query`, the text they embed. `events` are rows of EVENT.

    Task by task, and in each the templates by turns, until `max_per_task`; conversations follow as they are. Depends on
    the arguments alone.
    """
    events = list(events)
    video = make_video(video_id, duration_s, events, config)
    taken: dict[str, list[tuple[str, Draft]]] = {}
    for task in TEMPLATES:
        if task in config.tasks:
            taken[task] = list(_take(video, task, config.max_per_task))
    _limit_counting(taken, config.max_counting_share)
    pairs = [_pair(video, task, name, draft) for task, drafts in taken.items() for name, draft in drafts]
    _place_options(video, pairs)
    pairs += [_passed_through(row) for row in events if row["kind"] == "conversation"]
    return list({pair["qa_id"]: pair for pair in pairs}.values())


def _take(video: Video, task: str, count: int) -> Iterator[tuple[str, Draft]]:
    """Drafts without a problem, one of each template by turns; none twice of the same events."""
    streams = [zip(repeat(name), template(video), strict=False) for name, template in TEMPLATES[task].items()]
    asked: set[object] = set()
    for item in chain.from_iterable(zip_longest(*streams)):
        if count == 0:
            return
        if item is None or problems(item[1], video.duration_s):
            continue
        keys = {item[1].question, frozenset(item[1].event_ids)}
        if keys & asked:
            continue
        asked |= keys
        count -= 1
        yield item


def _limit_counting(taken: dict[str, list[tuple[str, Draft]]], share: float) -> None:
    others = sum(len(drafts) for task, drafts in taken.items() if task != "event_counting")
    if "event_counting" in taken and others:
        most = max(1, int(share * others / (1 - share))) if share < 1 else len(taken["event_counting"])
        taken["event_counting"] = taken["event_counting"][: most if share > 0 else 0]


def _pair(video: Video, task: str, name: str, draft: Draft) -> Pair:
    content = json.dumps(
        [video.video_id, task, name, draft.question, draft.answer, sorted(draft.wrong), draft.evidence]
    )
    return {
        "video_id": video.video_id,
        "qa_id": hashlib.sha256(content.encode()).hexdigest()[:16],
        "task": task,
        "question": draft.question,
        "query": draft.query,
        "answer": draft.answer,
        "options": list(draft.wrong),
        "answer_index": None,
        "evidence": [{"start_s": start, "end_s": end} for start, end in draft.evidence],
        "event_ids": list(draft.event_ids),
        "provenance": f"template:{task}/{name}",
        "conversations": conversation(draft.question, [], draft.answer, draft.hint),
        "flags": sorted(draft.flags),
    }


def _place_options(video: Video, pairs: list[Pair]) -> None:
    """Puts the right option of each pair in its place: by turns through a shuffled row of places, so that all come up
    as often as each other.
    """
    rng = video.rng("positions")
    places: dict[int, list[int]] = {}
    for pair in pairs:
        if not pair["options"]:
            continue
        count = len(pair["options"]) + 1
        if not places.get(count):
            places[count] = video.shuffled(range(count), rng)
        options = video.shuffled(pair["options"], rng)
        pair["answer_index"] = places[count].pop()
        options.insert(pair["answer_index"], pair["answer"])
        pair["options"] = options
        pair["conversations"] = conversation(pair["question"], options, pair["answer"])


def conversation(question: str, options: list[str], answer: str, hint: str = "") -> str:
    """JSON of a pair in the LLaVA form, the options lettered."""
    asked, told = question, answer
    if options:
        lettered = [f"({letter}) {option}" for letter, option in zip(_LETTERS, options, strict=False)]
        asked = "\n".join([question, *lettered, "Answer with the letter and the text of the right option."])
        told = lettered[options.index(answer)]
    elif hint:
        asked = f"{question} {hint}"
    turns = [{"from": "human", "value": f"<image>\n{asked}"}, {"from": "gpt", "value": told}]
    return json.dumps(turns, ensure_ascii=False)


def _passed_through(row: Pair) -> Pair:
    question, answer = question_and_answer(row["text"])
    return {
        "video_id": row["video_id"],
        "qa_id": hashlib.sha256(f"{row['video_id']}:{row['text']}".encode()).hexdigest()[:16],
        "task": "conversation",
        "question": question,
        "query": question,
        "answer": answer,
        "options": [],
        "answer_index": None,
        "evidence": [],
        "event_ids": [row["event_id"]],
        "provenance": "conversation",
        "conversations": row["text"],
        "flags": [],
    }
