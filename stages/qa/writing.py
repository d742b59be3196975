"""From a video's events to its QA pairs: plans of all tasks, each checked by the solver, in words, options in place."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from schemas.rows import EventRow, Row
from stages.qa.audit.words import problems
from stages.qa.config import WritingConfig
from stages.qa.lines import sentences_of
from stages.qa.make_events import make_events
from stages.qa.other_events import events_not_here
from stages.qa.passed_through import passed_through
from stages.qa.plan import Plan
from stages.qa.quotas import NoneShare, Quotas
from stages.qa.realize.templates import realize
from stages.qa.rows import Draft, made_of, place_options, row_of
from stages.qa.solver import check
from stages.qa.tasks import WRITERS
from stages.qa.tasks.false_premise import absent
from stages.qa.tasks.temporal_grounding import TASK as GROUNDING
from stages.qa.timeline import Timeline
from stages.qa.transcript import transcript


def write_pairs(
    events: Iterable[EventRow],
    duration_s: float,
    config: WritingConfig,
    video_id: str,
    *,
    counts: Counter[str] | None = None,
    meanings: Mapping[str, str] | None = None,
    others: Sequence[list[EventRow]] = (),
) -> list[Row]:
    """Returns rows of QA less the query columns, with `queries`, the texts they embed. `events` are rows of EVENT.

    Depends on the arguments alone. `counts` is given what was left out and why: reasons of `make_events`, codes of
    `stages.qa.audit.words.PROBLEMS`, `solver` and `repeats`. `meanings`: see `make_events`. `others`: rows of EVENT of
    other videos, whose events may be asked for where they do not happen.
    """
    rows, counts = list(events), Counter() if counts is None else counts
    made, left_out, language = make_events(rows, duration_s, config, meanings)
    counts.update(left_out)
    not_here = events_not_here(made, language, others, config, meanings) if config.absent_share else ()
    timeline = Timeline(video_id, duration_s, tuple(made), config, not_here=not_here)
    pairs = planned_pairs(timeline, [*rows, *chain.from_iterable(others)], language, counts)
    return each_once([*pairs, *passed_through(rows, counts)], counts)


def each_once(pairs: list[Row], counts: Counter[str]) -> list[Row]:
    """Returns the pairs, those that are the same once."""
    once = {pair["qa_id"]: pair for pair in pairs}
    counts["repeats"] += len(pairs) - len(once)
    return list(once.values())


def planned_pairs(timeline: Timeline, rows: list[EventRow], language: str, counts: Counter[str]) -> list[Row]:
    """Returns the pairs of a timeline, as `write_pairs` does; `rows`: that its events were made of."""
    if not sentences_of(timeline.speech):
        counts["no_sentences"] += len(timeline.speech)
    drafts = list(_take(timeline, counts))
    pairs = [row_of(timeline, draft, language) | made_of(draft, rows, timeline.config.seed) for draft in drafts]
    place_options(timeline, pairs)
    return pairs


def _take(timeline: Timeline, counts: Counter[str]) -> Iterator[Draft]:
    """Plans that hold, by turns of task and form, as many as the events are worth, none twice in substance."""
    quotas, seen, rng = Quotas(timeline), set[object](), timeline.rng("words")
    nones = NoneShare(timeline)
    held: list[Plan] = []

    def by_turns() -> Iterator[Plan]:
        for plan in _plans(timeline, quotas):
            if quotas.allow(plan, strictly=True):
                yield plan
            else:
                held.append(plan)
        yield from (plan for plan in held if quotas.allow(plan, strictly=False))

    for plan in by_turns():
        if quotas.are_full:
            break
        if draft := _draft(plan, timeline, seen, counts, rng, nones):
            quotas.add(plan)
            yield draft
    not_here = (_draft(plan, timeline, seen, counts, rng, nones) for plan in absent(timeline))
    yield from islice(filter(None, not_here), quotas.absent if GROUNDING in timeline.config.tasks else 0)


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
) -> Draft | None:
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
            return Draft(plan, words, verdict, said)
    return None


def _said(timeline: Timeline, plan: Plan) -> str | None:
    """The transcript that a plan needs; None where it has none or is not to have one."""
    return transcript(timeline, plan) if timeline.config.speech == "with_transcript" else None
