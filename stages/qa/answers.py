"""Whether two answers to a question say the same, or may both be right."""

from collections.abc import Sequence
from functools import lru_cache

from stages.qa.event import Event, overlap_s
from stages.qa.plan import Answer, Unanswerable
from stages.qa.similarity import holds_of, near_duplicates


@lru_cache(maxsize=1 << 14)  # the solver compares the events of a video again and again
def same(a: Answer, b: Answer) -> bool:
    """Returns whether two answers say the same: times that mostly overlap, events that tell of the same thing."""
    if isinstance(a, Event) and isinstance(b, Event):
        return tell_the_same(a, b)
    if isinstance(a, int | Unanswerable) or isinstance(b, int | Unanswerable):
        return a == b
    if is_span(a) and is_span(b):
        return overlap_s(a, b) > 0.3 * min(a[1] - a[0], b[1] - b[0]) or a == b  # type: ignore[arg-type,operator,index]
    if isinstance(a, tuple) and isinstance(b, tuple):
        return [_group(x) for x in a] == [_group(x) for x in b]
    return False


def tell_the_same(a: Event, b: Event) -> bool:
    """Returns whether two events tell of the same thing, by their words or their meaning."""
    is_paraphrase = a.meaning != "" and a.meaning == b.meaning
    return a.group == b.group or is_paraphrase or near_duplicates(a.text, b.text)


def may_be_right(wrong: Answer, found: Answer, error_s: float) -> bool:
    """Returns whether a wrong answer may be right beside the one that was found.

    It may where it is true of the same event, or so near in time that the errors of the annotation may have parted
    them.
    """
    if isinstance(wrong, Event) and isinstance(found, Event):
        return may_be_true_of(wrong, found)
    if is_span(wrong) and is_span(found):
        start, end = found  # type: ignore[misc]
        return overlap_s(wrong, (start - error_s, end + error_s)) > 0  # type: ignore[arg-type,operator]
    return False


def happens(offered: Event, events: Sequence[Event]) -> bool:
    """Returns whether an offered event is one of some events, or may be true of one of them."""
    return any(tell_the_same(offered, e) or may_be_true_of(offered, e) for e in events)


def may_be_true_of(event: Event, other: Event) -> bool:
    """Returns whether what a visual event tells may be true of another one, so that it is no wrong option beside it."""
    return event.kind == other.kind == "event" and holds_of(event.text, other.text)


def _group(event: object) -> int:
    return event.group if isinstance(event, Event) else -1


def is_span(answer: Answer) -> bool:
    """Returns whether an answer is a span of time."""
    return isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(x, (int, float)) for x in answer)
