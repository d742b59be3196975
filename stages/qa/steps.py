"""Which events of a video follow one another, and which only sum up others."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from stages.qa.event import Event, overlap_s

# Annotators' cuts overlap where one event follows another: by so many seconds, or this share of the shorter one.
SLACK_S = 0.5
SLACK_SHARE = 0.25
# Of a video of ten thousand events, so many are looked at for one form of question.
SOME = 300
# A longer part of an event tells of the same as the event.
PART_SHARE = 0.9


def precedes(a: Event, b: Event) -> bool:
    """Returns whether one event is over, but for the slack of annotators' cuts, when another begins."""
    shorter = min(a.end_s - a.start_s, b.end_s - b.start_s)
    slack = max(SLACK_S, SLACK_SHARE * shorter)
    return a.start_s < b.start_s and a.end_s < b.end_s and a.end_s - b.start_s <= slack


def outlines_of(visual: Sequence[Event]) -> frozenset[Event]:
    """Returns events that sum up others, such as a caption of the whole video beside those of its parts; by start."""
    return frozenset(event for event in visual if _sums_up(event, visual))


def _sums_up(event: Event, visual: Sequence[Event]) -> bool:
    """Whether an event holds two shorter ones that follow one another."""
    first = bisect_left(visual, event.start_s - SLACK_S, key=lambda e: e.start_s)
    ended: Event | None = None  # of the parts so far, the one that is over first
    for part in visual[first : first + SOME]:
        if part.start_s >= event.end_s:
            break
        is_longer = part.end_s - part.start_s > PART_SHARE * (event.end_s - event.start_s)
        if part.is_spread or is_longer or part.end_s > event.end_s + SLACK_S:
            continue
        if ended and precedes(ended, part):
            return True
        if ended is None or part.end_s < ended.end_s:
            ended = part
    return False


def steps_of(visual: Sequence[Event], outlines: frozenset[Event]) -> list[Event]:
    """Returns events that surely follow one another: those that no other overlaps by more than annotators' slack.

    Overlapping captions have no order. What sums up others is no step of its own, and does not part them.
    """
    events = [e for e in visual if not e.is_spread and e not in outlines]
    alone: list[Event] = []
    latest: Event | None = None  # of those before, the one that ends last
    for i, event in enumerate(events):
        follows = latest is None or precedes(latest, event)
        if follows and all(precedes(event, later) for later in events[i + 1 : i + 2]):
            alone.append(event)
        if latest is None or event.end_s > latest.end_s:
            latest = event
    return alone


def places_of(row: Sequence[Event]) -> dict[Event, int]:
    """Returns where each event of a row lies; of several with the same times, only the first."""
    spans = [event.span for event in row]
    found = ((event, bisect_left(spans, event.span)) for event in row)
    return {event: at for event, at in found if at < len(row) and row[at] is event}


def followed(
    row: Sequence[Event],
    max_gap_s: float,
    around: Callable[[float, float], Sequence[Event]],
    outlines: frozenset[Event],
) -> Iterator[Event]:
    """Yields the events of a row that the next one surely follows; `around`: visual events between two times."""
    for a, b in pairwise(row):
        is_near = precedes(a, b) and b.start_s <= a.end_s + max_gap_s
        if is_near and not (a.kind == "event" and is_interrupted(a, b, around(a.start_s, b.end_s), outlines)):
            yield a


def is_interrupted(a: Event, b: Event, around: Sequence[Event], outlines: frozenset[Event]) -> bool:
    """Returns whether one of the events around two steps, no step itself, goes on between them, and not over both."""
    return any(
        e is not a
        and e is not b
        and not (e in outlines and e.start_s <= a.start_s + SLACK_S and e.end_s >= b.end_s - SLACK_S)
        and (overlap_s(e.span, (a.end_s, b.start_s)) > 0 or a.start_s < e.start_s < b.start_s)
        for e in around
    )
