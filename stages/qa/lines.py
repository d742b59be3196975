"""Lines of speech that are sentences as people write them, not the bits of automatic captions."""

import re
from bisect import bisect_left
from collections.abc import Sequence

from stages.qa.clean import is_cut
from stages.qa.event import Event, overlap_s

# Lines before and after one of speech that may be said at the same time, and that a question about it may offer.
NEAR_LINES = 8
# More lines that overlap others are of several tracks.
MOST_OVERLAPPING = 0.2
_OVERLAP_S = 0.5
# Shorter lines ("Oh, yes!") are said again and again.
_LEAST_WORDS = 4
# "Native speakers don't", "is the best way to": the rest is in the next line.
_OPEN = re.compile(
    r"(?:n['\u2019]t|\b(?:to|in|on|at|for|by|if|when|because|that|which|who|your|my|our|its|this|these|those|would|could"
    r"|should|will|can|has|have|had|was|were|be|been|very|really|some|any|every|than|like))$",
    re.I,
)


def sentences_of(speech: Sequence[Event]) -> list[Event]:
    """Returns the lines, sorted by start, that are a sentence and that nobody speaks over.

    None where most lines are no sentences, or where many overlap: files of two languages or of several speakers were
    put together there.
    """
    if 2 * sum(map(_begins, speech)) <= len(speech):
        return []
    after = [*speech[1:], None]
    whole = [line for line, later in zip(speech, after, strict=True) if not (later and _goes_on(line, later))]
    alone = [line for line in whole if not _is_spoken_over(line, speech)]
    if len(whole) - len(alone) > MOST_OVERLAPPING * len(whole):
        return []
    return [line for line in alone if _begins(line)]


def ends_open(text: str) -> bool:
    """Returns whether a line without a mark at its end stops in the middle of a sentence."""
    return _OPEN.search(text) is not None


def is_whole_line(text: str) -> bool:
    """Returns whether a line is a sentence of some words that does not stop in the middle."""
    return not is_cut(text) and not ends_open(text) and len(text.split()) >= _LEAST_WORDS


def _begins(line: Event) -> bool:
    """Whether a line begins as a sentence does; the first letter counts. One in capitals throughout does not tell."""
    first = next((c for c in line.text if c.isalpha()), "")
    return first != "" and not first.islower() and not line.text[:1].isdigit() and not line.text.isupper()


def _goes_on(line: Event, later: Event) -> bool:
    """Whether the sentence of a line goes on in the next one."""
    return later.text[:1].islower() and later.start_s <= line.end_s + _OVERLAP_S


def _is_spoken_over(line: Event, speech: Sequence[Event]) -> bool:
    at = bisect_left(speech, line.start_s, key=lambda e: e.start_s)
    around = speech[max(0, at - NEAR_LINES) : at + NEAR_LINES]
    return any(other is not line and overlap_s(line.span, other.span) > _OVERLAP_S for other in around)
