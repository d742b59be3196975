"""Moves the ends of events to the cuts of their video: in an edited film, what is seen mostly changes at a cut."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from schemas.rows import EventRow

_SEEN = ("event", "caption", "scene")
# An event that would lose more of its length is left as it is.
_LEAST_LEFT = 0.5


def at_cuts(rows: Iterable[EventRow], cuts_s: Sequence[float], reach_s: float) -> Iterator[EventRow]:
    """Yields the rows, with the starts and ends of what is seen moved to the nearest cut within `reach_s`.

    Of two times, the earlier one never moves beyond the later one. Speech, clips, chapters and points in time stay as
    they are.

    Args:
        rows: of the schema EVENT.
        cuts_s: ascending, in seconds.
        reach_s: most seconds that a time is moved.
    """
    for row in rows:
        told_start, told_end = row["start_s"], row["end_s"]
        if row["kind"] in _SEEN and told_start is not None and told_end is not None and not row.get("is_point"):
            start, end = (_nearest(time_s, cuts_s, reach_s) for time_s in (told_start, told_end))
            if end - start >= _LEAST_LEFT * (told_end - told_start):
                row = {**row, "start_s": start, "end_s": end}
        yield row


def _nearest(time_s: float, cuts_s: Sequence[float], reach_s: float) -> float:
    at = bisect_left(cuts_s, time_s)
    cut = min(cuts_s[max(0, at - 1) : at + 1], key=lambda cut: abs(cut - time_s), default=time_s)
    return cut if abs(cut - time_s) <= reach_s else time_s
