"""How the solver looks events up in the table of a video: plain loops, written apart from `stages.qa.timeline`."""

from collections.abc import Sequence

from stages.qa.answers import tell_the_same
from stages.qa.event import Event
from stages.qa.plan import Plan

SLACK_S, SLACK_SHARE = 0.5, 0.25


class Table(tuple[Event, ...]):
    """Holds events, and remembers which of them are meant by an event's words: plan after plan asks for the same."""

    _whole: "Table | None" = None
    _gone: Event | None = None

    def meant_by(self, asked: Event) -> list[Event]:
        """Returns the events that an event's words may mean."""
        if self._whole is not None:
            return [e for e in self._whole.meant_by(asked) if e is not self._gone]
        meant: dict[Event, list[Event]] = self.__dict__.setdefault("_meant", {})
        if asked not in meant:
            meant[asked] = [e for e in self if e.kind == asked.kind and tell_the_same(e, asked)]
        return meant[asked]

    def without(self, gone: Event) -> "Table":
        """Returns the table without one event."""
        left = Table([e for e in self if e is not gone])
        left._whole, left._gone = self, gone
        return left


def find(events: Table, asked: Event) -> Event | None:
    """Finds the one event that is meant by an event's words."""
    found = events.meant_by(asked)
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
