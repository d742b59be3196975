"""How the solver looks events up in the table of a video: plain loops, written apart from `stages.qa.timeline`."""

from collections.abc import Sequence

from stages.qa.answers import same
from stages.qa.event import Event
from stages.qa.plan import Plan

SLACK_S, SLACK_SHARE = 0.5, 0.25


def find(events: Sequence[Event], asked: Event) -> Event | None:
    """Finds the one event that is meant by an event's words."""
    found = [e for e in events if e.kind == asked.kind and same(e, asked)]
    return found[0] if len(found) == 1 else None


def occurrences(plan: Plan, events: Sequence[Event]) -> list[Event]:
    """Returns the times that the asked event happens."""
    return sorted((e for e in events if e.group == plan.asked[0].group), key=lambda e: e.start_s)


def is_after(later: Event, earlier: Event) -> bool:
    """Returns whether an event begins when another is over; people who cut events let them overlap by a little."""
    if later.start_s <= earlier.start_s or later.end_s <= earlier.end_s:
        return False
    lengths = (later.end_s - later.start_s, earlier.end_s - earlier.start_s)
    return later.start_s >= earlier.end_s - max(SLACK_S, SLACK_SHARE * min(lengths))


def by_start(event: Event) -> tuple[float, float]:
    """Returns the key that sorts by start."""
    return event.start_s, event.end_s


def by_end(event: Event) -> tuple[float, float]:
    """Returns the key that sorts by end."""
    return event.end_s, event.start_s
