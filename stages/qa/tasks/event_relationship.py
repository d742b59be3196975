"""Plans of event relationship: what comes after, before and between, in which order, first or last."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, permutations

from stages.qa.answers import same
from stages.qa.event import Event, reason_of
from stages.qa.lines import NEAR_LINES
from stages.qa.plan import Plan
from stages.qa.tasks.options import FEWEST, wrong_events
from stages.qa.tasks.samples import runs, samples
from stages.qa.timeline import Timeline

TASK = "event_relationship"
MOST_STEPS = 3
# Of the questions what happens between two events whose right option would be the longest, so many are left out.
LONGEST_SHARE = 0.3
# And so many of those whose right option is the nearest in time to the two events, which else tells more than chance.
NEAREST_SHARE = 0.4


def neighbour(timeline: Timeline) -> Iterator[Plan]:
    """Asks for the next thing, or the second or third next, after an event, or before it.

    The next in two cases of five: then the option nearest in time is right no more often than by chance.
    """
    yield from _neighbours(timeline, "neighbour", timeline.steps, timeline.steps)
    yield from _open_neighbours(timeline)


def said_next(timeline: Timeline) -> Iterator[Plan]:
    """Asks the same as `neighbour` of lines that are spoken."""
    yield from _neighbours(timeline, "said_next", timeline.lines, timeline.lines)


def _neighbours(timeline: Timeline, form: str, events: list[Event], pool: list[Event]) -> Iterator[Plan]:
    rng = timeline.rng(form)
    askable = timeline.some(filter(timeline.is_nameable, events), rng)
    ways = {event: _ways(timeline, event) for event in askable}
    for event in (*askable, *askable):
        if not ways[event]:
            continue
        number, side, sign = way = rng.choice(ways[event])
        ways[event] = [other for other in ways[event] if other != way]
        path = [step for i in range(1, number + 1) if (step := timeline.step(event, sign * i))]
        truth, required = path[-1], [*path[:-1], timeline.step(event, -sign)]
        offered = [e for e in (truth, *required) if e]
        if not _are_apart(timeline, [event, *path]):
            continue
        if not all(timeline.is_quotable(e) and (e.kind != "speech" or e in pool) for e in offered):
            continue
        wrong = wrong_events(timeline, truth, required, timeline.near(event, pool), rng, asked=[event])
        if wrong:
            evidence = sorted([event, *path], key=lambda e: e.start_s)
            yield Plan(
                TASK,
                form,
                truth,
                tuple(evidence),
                wrong=wrong,
                asked=(event,),
                number=number,
                side=side,
                hops=number + 1,
            )


def _open_neighbours(timeline: Timeline) -> Iterator[Plan]:
    """Yields plans without options, for videos of few events, where one event touches the next."""
    rng = timeline.rng("open_neighbour")
    for event in timeline.some(filter(timeline.is_nameable, timeline.steps), rng):
        for side, sign in rng.sample([("after", 1), ("before", -1)], 2):
            truth = timeline.step(event, sign)
            # "He", after an event that names him, is understood.
            if truth is None or not timeline.is_short(truth) or not (truth.is_named or side == "after"):
                continue
            first, second = sorted([event, truth], key=lambda e: e.start_s)
            if abs(second.start_s - first.end_s) <= timeline.config.touch_s:
                yield Plan(TASK, "neighbour", truth, (first, second), asked=(event,), side=side, hops=2)


def _are_apart(timeline: Timeline, events: list[Event]) -> bool:
    """Whether each event is over, but for `touch_s`, when the next one begins."""
    ordered = sorted(events, key=lambda e: e.start_s)
    return all(b.start_s >= a.end_s - timeline.config.touch_s for a, b in pairwise(ordered))


def _ways(timeline: Timeline, event: Event) -> list[tuple[int, str, int]]:
    """How many steps away, and to which side, as often as each is to be asked for.

    Beside an opening or an ending all options lie on one side: there the nearest is right as often as the others are.
    """
    return [
        (number, side, sign)
        for side, sign in (("after", 1), ("before", -1))
        for number in ((1, 1, 2, 2, MOST_STEPS) if timeline.step(event, -sign) else (1, 2, MOST_STEPS))
        if timeline.step(event, sign * number)
    ]


def between(timeline: Timeline) -> Iterator[Plan]:
    """Asks which of these happens between two events."""
    yield from betweens(timeline, "between")


def betweens(timeline: Timeline, form: str) -> Iterator[Plan]:
    """Plans for "what happens between two events", which are asked in the order of time."""
    rng = timeline.rng(form)
    steps = timeline.steps
    askable = [i for i, e in enumerate(steps) if timeline.is_nameable(e)]
    unique = frozenset(filter(timeline.is_unique, steps))
    for first in timeline.some(askable, rng):
        second = first + rng.randint(2, 7)
        if second >= len(steps) or not timeline.is_nameable(steps[second]):
            continue
        truth = steps[rng.randint(first + 1, second - 1)]
        around = [steps[first - 1] if first else None, steps[second + 1] if second + 1 < len(steps) else None]
        outside = [e for e in around if e and timeline.is_short(e) and not timeline.is_vague(e)]
        # What also happens in between, under the same words, is no wrong option. As the right one, others happen once:
        # captions of what happens often are shorter.
        inside = steps[first : second + 1]
        apart = all(timeline.tells_of(e).isdisjoint(inside) for e in outside)
        if not apart or not timeline.is_short(truth) or truth not in unique:
            continue
        others = (*steps[:first], *steps[second + 1 :])
        pool = [e for e in others if e in unique and timeline.tells_of(e).isdisjoint(inside)]
        asked = [steps[first], steps[second]]
        wrong = wrong_events(timeline, truth, outside, pool, rng, asked=asked)
        # The others lie nearer to the beginning and the end of the video, where captions are shorter.
        is_longest = wrong is not None and len(truth.text) > max(len(e.text) for e in wrong)
        is_nearest = wrong is not None and _away_s(truth, asked) < min(_away_s(e, asked) for e in wrong)
        is_left_out = (is_longest and rng.random() < LONGEST_SHARE) or (is_nearest and rng.random() < NEAREST_SHARE)
        if wrong and not is_left_out:
            evidence = (steps[first], truth, steps[second])
            yield Plan(TASK, form, truth, evidence, wrong=wrong, asked=tuple(asked), hops=3)


def _away_s(event: Event, asked: Sequence[Event]) -> float:
    """How far the middle of an event lies from that of the nearest asked one."""
    return min(abs(sum(event.span) - sum(other.span)) / 2 for other in asked)


def cause(timeline: Timeline) -> Iterator[Plan]:
    """Asks why something happens; wrong options are causes of other events, told by the same word in captions.

    Open where the video has too few of them: other events would be told from causes by their form alone.
    """
    rng = timeline.rng("cause")
    caused = [e for e in timeline.visual if e.cause]
    for event in timeline.some(filter(timeline.is_askable, caused), rng):
        assert event.cause
        truth = reason_of(event)
        wrong: list[Event] = []
        for other in timeline.some(caused, rng):
            reason = reason_of(other)
            is_same_form = reason.text.split()[0] == truth.text.split()[0]
            if is_same_form and not any(same(reason, known) for known in (truth, *wrong)):
                wrong.append(reason)
        wrong = wrong[: timeline.config.num_options - 1]
        offered = tuple(wrong) if 1 + len(wrong) >= FEWEST else ()
        asked = replace(event, text=event.cause.effect)
        yield Plan(TASK, "cause", truth, (event,), wrong=offered, asked=(asked,))


def order(timeline: Timeline) -> Iterator[Plan]:
    """Asks in which order these happen. Every order may be right, that of the list too."""
    yield from _orders(timeline, "order", timeline.visual)


def said_order(timeline: Timeline) -> Iterator[Plan]:
    """Asks the same as `order` of lines that are spoken, of one part of the video."""
    for first in range(0, len(timeline.lines), NEAR_LINES):
        yield from _orders(timeline, "said_order", timeline.lines[first : first + NEAR_LINES])


def _orders(timeline: Timeline, form: str, pool: list[Event]) -> Iterator[Plan]:
    rng = timeline.rng(f"{form}{pool[0].event_id if pool else ''}")
    for events in samples(timeline, pool, rng, sizes=(3, 4)):
        listed = rng.sample(events, len(events))
        orders = list(permutations(events))
        wrong = rng.sample(orders[1:], min(timeline.config.num_options - 1, len(orders) - 1))
        yield Plan(TASK, form, tuple(events), tuple(events), wrong=tuple(wrong), listed=tuple(listed), hops=len(events))


def first_or_last(timeline: Timeline) -> Iterator[Plan]:
    """Asks which of these happens first, or last."""
    yield from first_or_last_of(timeline, timeline.visual, TASK, "first_or_last", with_ends=False)


WRITERS = (cause, neighbour, between, order, first_or_last, said_next, said_order)


def first_or_last_of(
    timeline: Timeline, pool: list[Event], task: str, form: str, *, with_ends: bool = True
) -> Iterator[Plan]:
    """Plans for "which of these comes first, or last" over a pool of events."""
    rng = timeline.rng(form)
    for events in runs(timeline, pool, rng, with_ends=with_ends):
        side = rng.choice(("first", "last"))
        truth = events[0] if side == "first" else events[-1]
        wrong = tuple(e for e in events if e is not truth)
        yield Plan(task, form, truth, tuple(events), wrong=wrong, listed=tuple(events), side=side, hops=len(events))
