"""Chooses the events that one question puts in order."""

from collections.abc import Iterator
from random import Random

from stages.qa.event import Event
from stages.qa.steps import precedes
from stages.qa.tasks.options import FEWEST
from stages.qa.timeline import Timeline


def runs(timeline: Timeline, pool: list[Event], rng: Random, *, with_ends: bool = True) -> Iterator[list[Event]]:
    """Yields askable events that follow one another, in time order; each event in at most three runs.

    What comes first or last in a whole video (an opening with "a man", a finished dish) is known without the video more
    often than what comes first in a part of it, and of four events in a row more often than of three: without
    `with_ends`, the video's first and last event are left out, and the runs are of three.
    """
    row: list[Event] = []
    for event in _clear(timeline, pool):
        if event not in timeline.outlines and (not row or precedes(row[-1], event)):
            row.append(event)
    row = row if with_ends else row[1:-1]
    count = min(timeline.config.num_options, max(FEWEST, len(row)) if with_ends else FEWEST)
    places = len(row) - count + 1
    for _ in range(3 if places > 0 else 0):
        first = rng.randrange(min(count, places))
        yield from timeline.some([row[i : i + count] for i in range(first, places, count)], rng)


def _clear(timeline: Timeline, pool: list[Event]) -> list[Event]:
    """The nameable events of which no other one tells a part: beside "the squirrel glides", "the squirrel jumps and
    glides" seems to happen twice.
    """
    partly_told = {e for other in pool for e in timeline.rivals(other)}
    return [e for e in pool if timeline.is_nameable(e) and e not in partly_told]


def samples(timeline: Timeline, pool: list[Event], rng: Random, sizes: tuple[int, ...]) -> Iterator[list[Event]]:
    """Yields askable events that lie apart, in time order; each event in at most three samples."""
    askable = _clear(timeline, pool)
    for _ in range(3):
        left = timeline.some(askable, rng)
        size = rng.choice(sizes)
        while len(left) >= size:
            chosen: list[Event] = []
            for event in left:
                if all(precedes(k, event) or precedes(event, k) for k in chosen):
                    chosen.append(event)
                if len(chosen) == size:
                    break
            if len(chosen) < min(size, FEWEST):
                break
            left = [e for e in left if e not in chosen]
            yield sorted(chosen, key=lambda e: e.start_s)
            size = rng.choice(sizes)
