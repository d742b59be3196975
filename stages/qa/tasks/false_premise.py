"""Plans of questions that may assume what is not so: two events in another order, an event more often than it is, or an
event of another video.

The answer tells what is not so. That answer is offered with every question of its form, or its form is open, so that
only the video tells which questions have it.
"""

from collections.abc import Iterator
from dataclasses import replace

from stages.qa.plan import Plan, Unanswerable
from stages.qa.tasks.event_relationship import betweens
from stages.qa.tasks.options import FEWEST
from stages.qa.tasks.temporal_grounding import TASK as GROUNDING
from stages.qa.tasks.temporal_grounding import repeated
from stages.qa.timeline import Timeline

FORM = "after_before"
# Of the questions when something happens again, so many ask for one time more than it does.
MISSING_SHARE = 0.2
# So much of a video is annotated where it is asked for an event of another one.
LEAST_TOLD = 0.5


def after_before(timeline: Timeline) -> Iterator[Plan]:
    """Asks what happens after one event and before another.

    Of as many as a question has options, in one the other is first.

    Both kinds offer events of the same places in time, and that the second event comes first.
    """
    rng = timeline.rng(FORM)
    for plan in betweens(timeline, FORM):
        if len(plan.wrong) < FEWEST - 1:
            continue
        rest, first, second = plan.wrong[:-1], *plan.asked
        if rng.random() < 1 / (1 + len(plan.wrong)):
            # `hops` stays that of the others, so that quotas leave out as many of both kinds.
            order = Unanswerable.ORDER
            yield replace(
                plan, answer=order, wrong=(plan.answer, *rest), asked=(second, first), evidence=(first, second)
            )
        else:
            yield replace(plan, wrong=(*rest, Unanswerable.ORDER))


def missing_occurrence(timeline: Timeline) -> Iterator[Plan]:
    """Asks when something happens once more than it does. The answer tells how often it happens."""
    rng = timeline.rng("missing_occurrence")
    for group in timeline.some(repeated(timeline), rng):
        if rng.random() < MISSING_SHARE:
            number = len(group)
            yield Plan(GROUNDING, "occurrence", number, tuple(group), asked=(group[0],), number=number + 1, hops=number)


def absent(timeline: Timeline) -> Iterator[Plan]:
    """Asks when something happens that does not: it is told of another video.

    Where little of a video is annotated, it might happen untold.
    """
    if _told_s(timeline) >= LEAST_TOLD * timeline.duration_s:
        rng = timeline.rng("absent")
        for event in timeline.some(filter(timeline.is_short, timeline.not_here), rng):
            error_s = timeline.error_s(event)
            yield Plan(GROUNDING, "absent", Unanswerable.EVENT, (), asked=(event,), error_s=error_s)


def _told_s(timeline: Timeline) -> float:
    """Seconds of the video of which visual events tell."""
    told_s, end_s = 0.0, 0.0
    for event in timeline.visual:
        told_s += max(0.0, event.end_s - max(event.start_s, end_s))
        end_s = max(end_s, event.end_s)
    return told_s
