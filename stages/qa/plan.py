"""A question before it has words: what is asked, what is right, what is wrong, and what shows it.

A plan is independent of language. A writer in `stages/qa/tasks` makes it, `stages.qa.solver` answers it anew from the
event table, `stages.qa.realize` gives it words.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from stages.qa.event import Event, Span


class Unanswerable(Enum):
    """Tells what a question assumes that is not so."""

    ORDER = "order"
    """That one event comes before another."""
    EVENT = "event"
    """That an event happens: it does in another video."""


Answer = Event | Span | int | tuple[Event, ...] | Unanswerable
"""An event; a span of time (start_s, end_s); a number; events in order; or what the question wrongly assumes."""
ORDERS = ("order", "said_order")
CAPTIONS = ("summary", "brief", "part", "timed_part")
MAIN = "main"


@dataclass(frozen=True)
class Plan:
    """Plans one question.

    Attributes:
        task: one of schemas.tables.qa.TASKS.
        form: which kind of question of the task; the solver and the realizer know it by this name.
        answer: what is right.
        wrong: what is offered beside it; empty: an open question.
        asked: events that the question names.
        evidence: events without which the question cannot be answered, in time order.
        listed: events that the question lists, in the order of the list (`order`, `first_or_last`).
        window: seconds that the question names.
        number: which occurrence, or how many steps away (1: the next one).
        side: "after", "before", "first" or "last", where the form has sides; `MAIN` where a summary leaves some out.
        hops: events that have to be found one after the other.
        error_s: how far the times that it names, and its evidence, may lie from what the frames show.
        is_none: the answer is "None of these": `answer` is what would be right, and is not offered.
        offers_none: "None of these" is one of the options.
    """

    task: str
    form: str
    answer: Answer
    evidence: tuple[Event, ...]
    wrong: tuple[Answer, ...] = ()
    asked: tuple[Event, ...] = ()
    listed: tuple[Event, ...] = ()
    window: Span | None = None
    number: int = 1
    side: str = ""
    hops: int = 1
    error_s: float = 0.0
    is_none: bool = False
    offers_none: bool = False

    @property
    def is_caption(self) -> bool:
        """Returns whether it is a description, which needs all events and whose wording is free."""
        return self.form in CAPTIONS

    @property
    def is_order(self) -> bool:
        """Returns whether the answer is an order of what the question lists."""
        return self.form in ORDERS

    @property
    def may_be_none(self) -> bool:
        """Returns whether "None of these" is offered, rightly or wrongly."""
        return self.is_none or self.offers_none

    @property
    def has_false_premise(self) -> bool:
        """Returns whether the question assumes what is not so."""
        return isinstance(self.answer, Unanswerable) or (self.form == "occurrence" and isinstance(self.answer, int))

    @property
    def is_absent(self) -> bool:
        """Returns whether it asks for an event of another video, so that nothing is evidence."""
        return self.answer is Unanswerable.EVENT

    @property
    def relation(self) -> str | None:
        """Returns where the answer lies, as the question tells: column `relation` of QA."""
        relations = {"neighbour": f"soon_{self.side}", "between": "between"}
        return self.side if self.form in ("next_scene", "count_beside") else relations.get(self.form)

    @cached_property
    def told(self) -> tuple[Event, ...]:
        """Returns all events that question, options and answer tell of, and those of the evidence."""
        values = (self.answer, *self.wrong)
        events = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
        return (*(e for e in events if isinstance(e, Event)), *self.asked, *self.listed, *self.evidence)

    @cached_property
    def needs_speech(self) -> bool:
        """Returns whether only speech answers it: it tells of speech, or of chapters, whose titles speech explains."""
        return any(e.kind == "speech" or e.is_title for e in self.told)

    @property
    def substance(self) -> object:
        """Returns what plans have in common that ask for the same piece of knowledge, whatever their task."""
        seen = frozenset(e.event_id for e in self.evidence or self.asked)
        if self.is_caption:
            return self.window or self.form
        # How often an event happens, and why, is more than that it does.
        is_own = len(seen) > 2 or isinstance(self.answer, int) or self.form == "cause"
        if self.form == "after_before":  # the same for a true and a false premise: neither is left out more often
            return (frozenset(e.event_id for e in self.asked), self.form)
        return (seen, self.form if is_own else "")
