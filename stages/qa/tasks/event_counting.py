"""Plans of event counting: how many times something happens that the annotation tells of again and again.

Repeats that touch are one event already (`stages.qa.make_events`). Nothing that was put together so is counted: its
number depends on what one counts as one.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from stages.qa.plan import Plan
from stages.qa.steps import precedes
from stages.qa.tasks.temporal_grounding import repeated, whole_counts
from stages.qa.timeline import Timeline

TASK = "event_counting"
_ANCHORS = 60


def count(timeline: Timeline) -> Iterator[Plan]:
    """Asks how many times something happens; also of what happens once."""
    rng = timeline.rng("count")
    groups = list(repeated(timeline))
    is_whole = whole_counts(timeline)
    alone = (e for e in timeline.steps if timeline.is_askable(e) and not e.is_joined and is_whole(e))
    once = [[e] for e in timeline.some(alone, rng)[:1]] if groups else []
    plans = [
        Plan(TASK, "count", len(group), tuple(group), asked=(group[0],), hops=len(group))
        for group in timeline.some([*groups, *once], rng)
    ]
    yield from _each_number_once(plans, timeline.config.num_options, rng)


def count_beside(timeline: Timeline) -> Iterator[Plan]:
    """Asks how many times something happens before another event, or after it."""
    rng = timeline.rng("count_beside")
    groups = list(repeated(timeline))
    anchors = timeline.some(filter(timeline.is_askable, timeline.steps), rng)[:_ANCHORS] if groups else []
    plans = []
    for group in groups:
        for anchor in anchors:
            if not all(precedes(e, anchor) or precedes(anchor, e) for e in group):
                continue
            side = rng.choice(("before", "after"))
            found = [e for e in group if (precedes(e, anchor) if side == "before" else precedes(anchor, e))]
            if 0 < len(found) < len(group):
                evidence = tuple(sorted([anchor, *found], key=lambda e: e.start_s))
                asked = (group[0], anchor)
                plans.append(
                    Plan(TASK, "count_beside", len(found), evidence, asked=asked, side=side, hops=len(evidence))
                )
    yield from _each_number_once(timeline.some(plans, rng), timeline.config.num_options, rng)


WRITERS = (count, count_beside)


def _each_number_once(plans: Sequence[Plan], most: int, rng: random.Random) -> Iterator[Plan]:
    """Of the plans one for each number that occurs, with all these numbers as options.

    So over a video each option is right exactly once: neither the smallest nor the most frequent number can be guessed.
    """
    by_number: dict[int, Plan] = {}
    for plan in plans:
        assert isinstance(plan.answer, int)
        by_number.setdefault(plan.answer, plan)
    numbers = sorted(by_number)[-most:]
    for number in rng.sample(numbers, len(numbers)) if len(numbers) > 1 else []:
        yield replace(by_number[number], wrong=tuple(n for n in numbers if n != number))
