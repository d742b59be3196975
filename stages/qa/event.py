"""Events of a video, over which questions are planned."""

from dataclasses import dataclass, replace
from functools import cached_property

from stages.qa.cause import Cause
from stages.qa.names import says_who

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Event:
    """Holds a sentence that is true in [start_s, end_s), in seconds. An event equals itself alone.

    Attributes:
        event_id: of the annotation's row (of the first one where several were put together).
        kind: "event", "scene" or "speech".
        text: a sentence without its full stop.
        group: number of the words; events of one group tell of the same thing happening again.
        meaning: the first text of the video that says the same in other words, itself otherwise; "": not looked for.
        is_point: the annotation gives one time, no span.
        is_title: it is the title of a chapter, which mostly only speech explains.
        is_caption: it describes a clip, rather than a moment that somebody was asked to find.
        is_spread: the sentence shared its span with others, so its own times are a guess.
        has_pause: it was put together of repeats with pauses between them, or of which one is a part of the other, so
            its span is not all its own.
        is_joined: it was put together of repeats that follow one another or overlap in part, so how often it happens
            depends on whether those count as one.
        cause: what its sentence tells of why it happens.
        fault: why its words are not told, a code of `stages.qa.faults`; "": they are.
        event_ids: of all rows that it was made of.
    """

    event_id: str
    start_s: float
    end_s: float
    kind: str
    text: str
    group: int = -1
    meaning: str = ""
    is_point: bool = False
    is_spread: bool = False
    is_title: bool = False
    is_caption: bool = False
    has_pause: bool = False
    is_joined: bool = False
    cause: Cause | None = None
    fault: str = ""
    event_ids: tuple[str, ...] = ()

    @cached_property
    def span(self) -> Span:
        """Returns start and end in seconds."""
        return self.start_s, self.end_s

    @cached_property
    def is_named(self) -> bool:
        """Returns whether a question can name it: understood alone, and at a time of its own."""
        return not self.is_spread and (self.kind == "speech" or says_who(self.text))


def reason_of(event: Event) -> Event:
    """Returns the cause of an event as an answer: it says the same as another cause only where the words do."""
    assert event.cause
    reason = event.cause.reason
    return replace(event, text=reason[:1].upper() + reason[1:], group=-2 - event.group, meaning="", cause=None)


def overlap_s(a: Span, b: Span) -> float:
    """Returns the seconds that two spans share, at least 0."""
    start = a[0] if a[0] > b[0] else b[0]  # 35 times per pair; `max` and `min` take four times as long
    end = a[1] if a[1] < b[1] else b[1]
    return end - start if end > start else 0.0
