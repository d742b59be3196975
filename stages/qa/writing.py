"""From a video's events to its QA pairs: plans of all tasks, each checked by the solver, in words, options in place."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from stages.annotations.origin import origin_columns
from stages.qa.audit.words import problems
from stages.qa.config import WritingConfig
from stages.qa.event import Event, make_events
from stages.qa.lines import sentences_of
from stages.qa.passed_through import passed_through
from stages.qa.plan import Plan
from stages.qa.quotas import NoneShare, Quotas
from stages.qa.realize.templates import Realized, realize
from stages.qa.solver import Verdict, check
from stages.qa.tasks import WRITERS
from stages.qa.timeline import Timeline
from stages.qa.transcript import transcript

_LETTERS = "ABCDEFGH"

Pair = dict[str, Any]


def write_pairs(
    events: Iterable[Pair],
    duration_s: float,
    config: WritingConfig,
    video_id: str,
    *,
    counts: Counter[str] | None = None,
    alike: Mapping[str, str] | None = None,
) -> list[Pair]:
    """Rows of the schema QA less the query columns, with `queries`, the texts they embed. `events` are rows of EVENT.

    Depends on the arguments alone. `counts` is given what was left out and why: reasons of `make_events`, codes of
    `stages.qa.audit.words.PROBLEMS`, `solver` and `repeats`. `alike`: see `make_events`.
    """
    rows, counts = list(events), Counter() if counts is None else counts
    made, left_out, language = make_events(rows, duration_s, config, alike)
    counts.update(left_out)
    pairs = planned_pairs(Timeline(video_id, duration_s, tuple(made), config), rows, language, counts)
    return each_once([*pairs, *passed_through(rows, counts)], counts)


def each_once(pairs: list[Pair], counts: Counter[str]) -> list[Pair]:
    """The pairs, those that are the same once."""
    once = {pair["qa_id"]: pair for pair in pairs}
    counts["repeats"] += len(pairs) - len(once)
    return list(once.values())


def planned_pairs(timeline: Timeline, rows: list[Pair], language: str, counts: Counter[str]) -> list[Pair]:
    """The pairs of a timeline, as `write_pairs` gives them; `rows`: that its events were made of."""
    if not sentences_of(timeline.speech):
        counts["no_sentences"] += len(timeline.speech)
    drafts = list(_take(timeline, counts))
    pairs = [_pair(timeline, draft, language) | _made_of(draft, rows, timeline.config.seed) for draft in drafts]
    _place_options(timeline, pairs)
    return pairs


class _Draft(NamedTuple):
    """A plan that holds, in words; `said`: the transcript that it carries."""

    plan: Plan
    words: Realized
    verdict: Verdict
    said: str


def _take(timeline: Timeline, counts: Counter[str]) -> Iterator[_Draft]:
    """Plans that hold, by turns of task and form, as many as the events are worth, none twice in substance."""
    quotas, seen, rng = Quotas(timeline), set[object](), timeline.rng("words")
    nones = NoneShare(timeline)
    held: list[Plan] = []

    def by_turns() -> Iterator[tuple[Plan, bool]]:
        for plan in _plans(timeline, quotas):
            if quotas.allow(plan, strictly=True):
                yield plan, True
            else:
                held.append(plan)
        for plan in held:
            yield plan, False

    for plan, strictly in by_turns():
        if quotas.are_full:
            return
        if quotas.allow(plan, strictly=strictly) and (draft := _draft(plan, timeline, seen, counts, rng, nones)):
            quotas.add(plan)
            yield draft


def _plans(timeline: Timeline, quotas: Quotas) -> Iterator[Plan]:
    """The plans of all writers by turns, but for tasks that have all their pairs."""
    tasks = [task for task in WRITERS if task in timeline.config.tasks]
    streams = [(task, writer(timeline)) for task in tasks for writer in WRITERS[task]]
    while streams:
        for task, stream in list(streams):
            plan = None if quotas.is_closed(task) else next(stream, None)
            if plan is None:
                streams.remove((task, stream))
            else:
                yield plan


def _draft(
    plan: Plan, timeline: Timeline, seen: set[object], counts: Counter[str], rng: random.Random, nones: NoneShare
) -> _Draft | None:
    """The plan in words; None where it does not hold or was asked before, which is counted."""
    if plan.substance in seen:
        counts["repeats"] += 1
    elif not (verdict := check(plan, timeline.events)).holds:
        counts["solver"] += 1
    elif (said := _said(timeline, plan) if plan.needs_speech else "") is None:
        counts["needs_speech"] += 1
    else:
        plan = nones.offer(plan)
        words = realize(plan, rng)
        found = problems(plan, words, timeline.duration_s)
        counts.update(found)
        if not found and words.question not in seen:
            nones.add(plan)
            seen.update((plan.substance, words.question))
            return _Draft(plan, words, verdict, said)
    return None


def _said(timeline: Timeline, plan: Plan) -> str | None:
    """The transcript that a plan needs; None where it has none or is not to have one."""
    return transcript(timeline, plan) if timeline.config.speech == "with_transcript" else None


def _pair(timeline: Timeline, draft: _Draft, language: str) -> Pair:
    plan, words, verdict, said = draft
    spans = [e.span for e in plan.evidence] if not plan.is_caption else [plan.window or (0.0, timeline.duration_s)]
    content = [timeline.video_id, plan.task, plan.form, words.question, words.answer, sorted(words.wrong), spans]
    flags = {"none_of_these"} if plan.is_none else set()
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
        "option_times": None if plan.is_none or plan.offers_none or reasons else _middles([plan.answer, *plan.wrong]),
        "asked_times": _middles(plan.asked),
        "evidence": [{"start_s": start, "end_s": end} for start, end in spans],
        "event_ids": list(dict.fromkeys(i for e in plan.evidence for i in e.event_ids)),
        "hops": plan.hops,
        "solver_agrees": verdict.agrees,
        "evidence_necessary": verdict.necessary,
        "evidence_sufficient": verdict.sufficient,
        "language": language,
        "provenance": f"template:{plan.task}/{plan.form}",
        "conversations": conversation(words.question, [], words.answer, words.hint, said),
        "flags": sorted(flags),
        "_hint": words.hint,
        "_transcript": said,
    }


def _made_of(draft: _Draft, rows: list[Pair], seed: int) -> Pair:
    """Columns that tell where a pair comes from. A transcript may hold any line of speech."""
    told = {i for e in draft.plan.told for i in e.event_ids}
    used = [row for row in rows if row["event_id"] in told or (draft.said and row["kind"] == "speech")]
    return {**origin_columns(used), "realizer": "templates", "seed": seed}


def _middles(answers: Sequence[object]) -> list[float] | None:
    """When each event happens; None where one of them is no event."""
    spans = [answer.span for answer in answers if isinstance(answer, Event)]
    return [(start + end) / 2 for start, end in spans] if len(spans) == len(answers) else None


def _place_options(timeline: Timeline, pairs: list[Pair]) -> None:
    """Puts the right option of each pair in its place: by turns through a shuffled row of places, so that all come up
    as often as each other. Numbers stay in order.
    """
    rng = timeline.rng("positions")
    places: dict[int, list[int]] = {}
    for pair in pairs:
        hint, said = pair.pop("_hint"), pair.pop("_transcript")
        if not pair["options"]:
            continue
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
        pair["conversations"] = conversation(pair["question"], options, pair["answer"], hint, said)


def conversation(question: str, options: list[str], answer: str, hint: str = "", said: str = "") -> str:
    """JSON of a pair in the LLaVA form, the options lettered."""
    lines, told = [f"{question} {hint}".strip()], answer
    if options:
        lettered = [f"({letter}) {option}" for letter, option in zip(_LETTERS, options, strict=False)]
        lines += [*lettered, "Answer with the letter and the text of the right option."]
        told = lettered[options.index(answer)]
    asked = "\n".join([*([said] if said else []), *lines])
    turns = [{"from": "human", "value": f"<image>\n{asked}"}, {"from": "gpt", "value": told}]
    return json.dumps(turns, ensure_ascii=False)
