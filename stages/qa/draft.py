"""A QA pair before it is audited and its options are put in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stages.qa.moment import Moment, Span
from stages.qa.video import Video


@dataclass(frozen=True)
class Draft:
    """A question, its answer, and wrong options (none: open-ended).

    `asked` are the texts of the events that the question tells of. `hint` says how to answer; it is for a model to
    read, no part of the question. `query_options`: the question alone names nothing that is to be seen, so the query
    that frames are selected by tells the options too.
    """

    question: str
    answer: str
    evidence: tuple[Span, ...]
    event_ids: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    hint: str = ""
    query_options: bool = False

    @property
    def query(self) -> str:
        """What a tower is asked for: the options in an order that does not tell the right one."""
        return (
            f"{self.question} {'; '.join(sorted((self.answer, *self.wrong)))}" if self.query_options else self.question
        )


# A template gives drafts in an order of its own chance; as many are taken as are wanted.
Template = Callable[[Video], Iterator[Draft]]


def choice(
    question: str,
    truth: Moment,
    wrong: Sequence[Moment],
    seen: Sequence[Moment],
    asked: Sequence[Moment] = (),
    flags: Sequence[str] = (),
) -> Draft:
    """A question whose answer is one moment among others; `seen` are those that show it, in any order."""
    seen = sorted(seen, key=lambda m: m.start_s)
    return Draft(
        question,
        truth.sentence,
        tuple(m.span for m in seen),
        tuple(m.event_id for m in seen),
        wrong=tuple(m.sentence for m in wrong),
        asked=tuple(m.text for m in asked),
        flags=(*flags, "from_speech") if truth.kind == "speech" else tuple(flags),
    )
