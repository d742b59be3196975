"""Chooses wrong options: the neighbours in time always, and no place in time that gives the right one away."""

import random
from collections.abc import Iterable, Sequence

from stages.qa.answers import may_be_true_of, tell_the_same
from stages.qa.event import Event, Span, overlap_s
from stages.qa.similarity import are_similar
from stages.qa.timeline import Timeline

FEWEST = 3
"""Options of a question about a video that has few events."""


def wrong_events(
    timeline: Timeline,
    truth: Event,
    required: Sequence[Event | None],
    pool: Iterable[Event],
    rng: random.Random,
    *,
    asked: Sequence[Event] = (),
) -> tuple[Event, ...] | None:
    """Returns wrong events for a right one, or None where there are too few.

    A video of few events offers fewer, but `FEWEST` at least. Which place the right one takes among the options, in the
    order of the video, is drawn first, so that "the earliest option" and "the latest option" are right no more often
    than any other.

    Args:
        required: events that must be offered (the neighbours of the asked one); None for one that is not there.
        pool: what else may be offered.
        asked: events that the question names: never offered.
    """
    must = _distinct([e for e in required if e is not None], [truth, *asked])
    if must is None or any(may_be_true_of(e, truth) for e in must) or not all(map(timeline.is_short, (truth, *must))):
        return None
    some = timeline.some(pool, rng)
    free = [e for e in some if timeline.is_offered(e) and e not in must and not may_be_taken_for(e, truth)]
    most = timeline.config.num_options - 1
    few = _some_distinct(free, [truth, *asked, *must], most + 1 - len(must))
    if len(must) + len(few) <= most:
        # All there is: no place is given away by a choice.
        return (*must, *few) if 1 + len(must) + len(few) >= min(FEWEST, most + 1) else None
    return _at_a_drawn_place(truth, must, free, asked, most + 1, rng)


def _at_a_drawn_place(
    truth: Event, must: Sequence[Event], free: Iterable[Event], asked: Sequence[Event], count: int, rng: random.Random
) -> tuple[Event, ...] | None:
    """Returns `count` - 1 wrong events, so many before the right one that this has its drawn place; None: too few."""
    earlier = sum(e.start_s < truth.start_s for e in must)
    places = list(range(earlier, count - (len(must) - earlier)))
    if not places:
        return None
    # Place 0 (the earliest) comes up once in `count` even where few places are left.
    place = rng.choice(places)
    if place == 0 and len(places) < count and rng.random() > len(places) / count:
        return None
    want = {True: place - earlier, False: count - 1 - place - (len(must) - earlier)}
    chosen = list(must)
    for event in free:
        before = event.start_s < truth.start_s
        if want[before] and not any(tell_the_same(event, other) for other in (truth, *asked, *chosen)):
            chosen.append(event)
            want[before] -= 1
    return tuple(chosen) if not any(want.values()) else None


def may_be_taken_for(event: Event, other: Event) -> bool:
    """Returns whether most of what one of two visual events tells may be true of the other: a poor wrong option."""
    return event.kind == other.kind == "event" and are_similar(event.text, other.text)


def _some_distinct(events: Sequence[Event], others: Sequence[Event], most: int) -> list[Event]:
    """The first events that tell of something that neither others nor each other tell of."""
    chosen: list[Event] = []
    for event in events:
        if len(chosen) < most and not any(tell_the_same(event, other) for other in (*others, *chosen)):
            chosen.append(event)
    return chosen


def _distinct(events: Sequence[Event], others: Sequence[Event]) -> list[Event] | None:
    """The events, each once; None where one says the same as one of `others`, so that it cannot be offered."""
    chosen: list[Event] = []
    for event in events:
        if any(tell_the_same(event, other) for other in others):
            return None
        if not any(tell_the_same(event, other) for other in chosen):
            chosen.append(event)
    return chosen


def wrong_spans(
    timeline: Timeline,
    truth: Event,
    pool: Iterable[Event],
    rng: random.Random,
) -> tuple[Span, ...] | None:
    """Returns wrong spans of time for a right one, those of other events, or None where there are too few.

    Which place the right one takes, in the order of time, is drawn first. Where the pool comes nearest first, the
    options are events that follow one another: none lies closer to the others for being the right one. All lie apart
    by more than the times may be wrong, and none where something is told that may be taken for the right one.

    Args:
        pool: what may be offered, the first ones first.
    """
    most = timeline.config.num_options - 1
    earlier: list[Event] = []
    later: list[Event] = []
    error_s = timeline.error_s(truth)
    for event in pool:
        side = earlier if event.start_s < truth.start_s else later
        around = (event.start_s - error_s, event.end_s + error_s)
        if len(side) == most or any(overlap_s(around, e.span) > 0 for e in (truth, *side)):
            continue
        told = (e for e in timeline.around(*around) if e not in timeline.outlines)
        if not any(may_be_taken_for(e, truth) for e in told):
            side.append(event)
    place = rng.randrange(most + 1)
    chosen = [*earlier[:place], *later[: most - place]]
    return tuple(e.span for e in chosen) if len(chosen) == most else None
