"""Counts rows of clip lists and cues of subtitles that cannot be used, so that they cost themselves alone."""

from collections.abc import Iterable
from typing import NamedTuple

REASONS = {
    "no_time": "a row of a clip list, or a cue of subtitles, whose start or end cannot be read",
    "ends_before_start": "a row of a clip list, or a cue of subtitles, that ends before it starts",
    "no_text": "a row of a clip list whose text is none",
    "other_form": "a row of a clip list with a field that is given twice or cannot be used",
}


class LeftOut(NamedTuple):
    """Counts the rows of a video that were left out for one reason."""

    reason: str
    """A code of REASONS."""
    number: int
    example: str
    """Message about the first of them, with its place."""


def summed(found: Iterable[LeftOut]) -> list[LeftOut]:
    """Returns one entry per reason, with the first example."""
    by_reason: dict[str, LeftOut] = {}
    for each in found:
        before = by_reason.get(each.reason)
        by_reason[each.reason] = before._replace(number=before.number + each.number) if before else each
    return list(by_reason.values())
