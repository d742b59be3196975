"""A timed text of a video, and the forms in which a question or an answer tells of it."""

import re
from dataclasses import dataclass
from functools import cached_property

from stages.qa.grammar import Parsed, capitalised, inverted, parse
from stages.qa.similarity import subject_head

_LETTERS = re.compile(r"[^\W\d_]{2}")
Span = tuple[float, float]


@dataclass(frozen=True)
class Moment:
    """A text that holds in [start_s, end_s), in seconds."""

    event_id: str
    start_s: float
    end_s: float
    kind: str
    text: str

    @property
    def span(self) -> Span:
        return self.start_s, self.end_s

    @cached_property
    def parsed(self) -> Parsed:
        return Parsed("quote", self.text) if self.kind == "speech" else parse(self.text)

    @property
    def when(self) -> str:
        """A clause that can follow "when", "after" and "before"."""
        if self.kind == "speech":
            return f"someone says {quoted(self.text)}"
        forms = {"clause": self.parsed.text, "phrase": f"we see {self.parsed.text}"}
        return forms.get(self.parsed.form, f"the video shows {quoted(self.parsed.text)}")

    @property
    def sentence(self) -> str:
        """The text as an option or an answer: no full stop."""
        return quoted(self.text) if self.kind == "speech" else capitalised(self.parsed.text)

    @property
    def question(self) -> str | None:
        """The text as it follows "When" in a question; None where only `when` is safe."""
        return inverted(self.parsed)

    @property
    def has_words(self) -> bool:
        """Whether the text says something: what follows "0:09:59" on a clock is known without looking."""
        return _LETTERS.search(self.text) is not None

    @cached_property
    def subject(self) -> str:
        """The noun a clause is about; empty for other texts."""
        return subject_head(self.parsed.subject) if self.parsed.form == "clause" else ""


def overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'


def seconds(time_s: float) -> str:
    """83.0 -> "83 s", 14.52 -> "14.5 s"."""
    return f"{round(time_s, 1):.1f}".removesuffix(".0") + " s"


def span_text(span: Span) -> str:
    return f"{seconds(span[0])} to {seconds(span[1])}"
