"""Rows of the schema QA: of plans in words, their options in place."""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from schemas.rows import EventRow, Row
from stages.annotations.origin import origin_columns
from stages.qa.event import Event
from stages.qa.plan import Plan
from stages.qa.realize.templates import Realized
from stages.qa.solver import Verdict
from stages.qa.timeline import Timeline

_LETTERS = "ABCDEFGH"


class Draft(NamedTuple):
    """Holds a plan that passed the solver, in words; `said`: the transcript that it carries."""

    plan: Plan
    words: Realized
    verdict: Verdict
    said: str


def row_of(timeline: Timeline, draft: Draft, language: str) -> Row:
    """Returns the row of a plan, until `place_options` with its wrong options alone and without `conversations`."""
    plan, words, verdict, said = draft
    is_of_all = plan.is_caption or plan.is_absent
    spans = [plan.window or (0.0, timeline.duration_s)] if is_of_all else [e.span for e in plan.evidence]
    content = [timeline.video_id, plan.task, plan.form, words.question, words.answer, sorted(words.wrong), spans]
    flags = {"none_of_these"} if plan.is_none else {"false_premise"} if plan.has_false_premise else set()
    if plan.is_absent:
        flags = {"other_video"}
    reasons = plan.form == "cause"  # the time of one is that of the asked event
    if said:
        flags.add("with_transcript")
    return {
        "video_id": timeline.video_id,
        "qa_id": hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16],
        "task": plan.task,
        "form": plan.form,
        "question": words.question,
        "queries": list(words.queries),
        "window": {"start_s": plan.window[0], "end_s": plan.window[1]} if plan.window else None,
        "relation": plan.relation,
        "sample_window": None,
        "answer": words.answer,
        "options": list(words.wrong),
        "answer_index": None,
        "option_times": None if plan.may_be_none or reasons else _middles([plan.answer, *plan.wrong]),
        "asked_times": None if plan.is_absent else _middles(plan.asked),
        "evidence": [{"start_s": start, "end_s": end} for start, end in spans],
        "event_ids": list(dict.fromkeys(i for e in plan.evidence or plan.asked for i in e.event_ids)),
        "hops": plan.hops,
        "solver_agrees": verdict.agrees,
        "evidence_necessary": verdict.necessary,
        "evidence_sufficient": verdict.sufficient,
        "language": language,
        "provenance": f"template:{plan.task}/{plan.form}",
        "conversations": "",
        "flags": sorted(flags),
        "_hint": words.hint,
        "_transcript": said,
    }


def made_of(draft: Draft, rows: list[EventRow], seed: int) -> Row:
    """Returns the columns that tell where a pair comes from. A transcript may hold any line of speech."""
    told = {i for e in draft.plan.told for i in e.event_ids}
    used = [row for row in rows if row["event_id"] in told or (draft.said and row["kind"] == "speech")]
    other = used[0]["video_id"] if draft.plan.is_absent else None
    return {**origin_columns(used), "other_video_id": other, "realizer": "templates", "seed": seed}


def _middles(answers: Sequence[object]) -> list[float] | None:
    """When each event happens; None where one of them is no event."""
    spans = [answer.span for answer in answers if isinstance(answer, Event)]
    return [(start + end) / 2 for start, end in spans] if len(spans) == len(answers) else None


def place_options(timeline: Timeline, pairs: list[Row]) -> None:
    """Puts the right option of each pair in its place, and then writes `conversations`.

    Places are taken by turns from a shuffled row of them, so that all come up as often as each other. Numbers stay in
    order.
    """
    rng = timeline.rng("positions")
    places: dict[int, list[int]] = {}
    for pair in pairs:
        if pair["options"]:
            count = len(pair["options"]) + 1
            if not places.get(count):
                places[count] = rng.sample(range(count), count)
            options = rng.sample(pair["options"], count - 1)
            pair["answer_index"] = places[count].pop()
            options.insert(pair["answer_index"], pair["answer"])
            if times := pair["option_times"]:  # the right option's comes first
                of = dict(zip([pair["answer"], *pair["options"]], times, strict=True))
                pair["option_times"] = [of[option] for option in options]
            pair["options"] = options
        hint, said = pair.pop("_hint"), pair.pop("_transcript")
        pair["conversations"] = conversation(pair["question"], pair["options"], pair["answer"], hint, said)


def conversation(question: str, options: list[str], answer: str, hint: str = "", said: str = "") -> str:
    """Returns the JSON of a pair in the LLaVA form, the options lettered."""
    lines, told = [f"{question} {hint}".strip()], answer
    if options:
        lettered = [f"({letter}) {option}" for letter, option in zip(_LETTERS, options, strict=False)]
        lines += [*lettered, "Answer with the letter and the text of the right option."]
        told = lettered[options.index(answer)]
    asked = "\n".join([*([said] if said else []), *lines])
    turns = [{"from": "human", "value": f"<image>\n{asked}"}, {"from": "gpt", "value": told}]
    return json.dumps(turns, ensure_ascii=False)
