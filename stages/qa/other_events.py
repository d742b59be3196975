"""Events of other videos that do not happen in a video, so that it can be asked when they do."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from schemas.rows import EventRow
from stages.qa.config import WritingConfig
from stages.qa.event import Event
from stages.qa.make_events import split_events
from stages.qa.similarity import content_words, telling_words

# Of another video, so many rows of its annotation are looked at.
MOST_ROWS = 24
# An event is told by so many words of which this video's annotation has none.
_LEAST_WORDS = 3
# Videos of one subject have more of their words in common: there, what one shows may go untold in the other.
_MOST_SHARED = 0.25


def rows_to_look_at(rows: Sequence[EventRow]) -> list[EventRow]:
    """Returns at most MOST_ROWS rows of EVENT that tell what is to be seen, evenly over the video."""
    seen = [row for row in rows if row["kind"] in ("event", "caption")]
    return seen[:: max(1, -(-len(seen) // MOST_ROWS))]


def events_not_here(
    events: Sequence[Event],
    language: str,
    others: Iterable[Sequence[EventRow]],
    config: WritingConfig,
    meanings: Mapping[str, str] | None = None,
) -> tuple[Event, ...]:
    """Returns events of other videos that surely do not happen in this one.

    Their words, but for those of what may be seen anywhere, are nowhere in the annotation of this video, which is of
    another subject. Their groups are no groups of this video.

    Args:
        events: all events of this video.
        language: theirs.
        others: rows of EVENT of each other video.
        config: the settings.
        meanings: see `make_events`.
    """
    here = frozenset[str]().union(*(content_words(e.text) for e in events))
    found = [event for rows in others for event in _of_another(rows, language, here, config, meanings)]
    told_here = {e.meaning for e in events if e.meaning}
    return tuple(replace(e, group=-1 - i) for i, e in enumerate(found) if e.meaning not in told_here)


def _of_another(
    rows: Sequence[EventRow],
    language: str,
    here: frozenset[str],
    config: WritingConfig,
    meanings: Mapping[str, str] | None,
) -> Iterator[Event]:
    there = frozenset[str]().union(*(content_words(row["text"]) for row in rows))
    if len(here & there) > _MOST_SHARED * min(len(here), len(there)):
        return
    told, _, other_language = split_events(rows, math.inf, config, meanings)
    for event in told if other_language == language else ():
        words = telling_words(event.text)
        if event.is_named and len(words) >= _LEAST_WORDS and not words & here:
            yield event
