"""A video as the writer sees it: its moments in time order, and which of them can be told apart."""

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stages.qa.config import WritingConfig
from stages.qa.grammar import Parsed, capitalised, inverted, parse
from stages.qa.similarity import covers, near_duplicates, subject_head

Span = tuple[float, float]
# Ego4D's narrations write the person who wears the camera so.
_CAMERA_WEARER = re.compile(r"^#[Cc]\s+C\b")


@dataclass(frozen=True)
class Moment:
    """A timed text: [start_s, end_s) in seconds."""

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
        if self.kind == "speech":
            return quoted(self.text)
        return capitalised(self.parsed.text)

    @property
    def question(self) -> str | None:
        """The text as it follows "When" in a question; None where only `when` is safe."""
        return inverted(self.parsed)

    @property
    def subject(self) -> str:
        return subject_head(self.parsed.subject) if self.parsed.form == "clause" else ""


@dataclass(frozen=True)
class Video:
    """A video's moments, sorted by start. `visual` are events and captions that may be asked for."""

    video_id: str
    duration_s: float
    moments: tuple[Moment, ...]
    config: WritingConfig

    @cached_property
    def visual(self) -> list[Moment]:
        return [m for m in self.moments if m.kind in ("event", "caption")]

    @cached_property
    def scenes(self) -> list[Moment]:
        return [m for m in self.moments if m.kind == "scene"]

    @cached_property
    def speech(self) -> list[Moment]:
        return [m for m in self.moments if m.kind == "speech"]

    @cached_property
    def conversations(self) -> list[list[Moment]]:
        """Lines of speech in stretches without a long silence."""
        stretches: list[list[Moment]] = []
        end = 0.0
        for line in self.speech:
            if not stretches or line.start_s - end > self.config.silence_s:
                stretches.append([])
            stretches[-1].append(line)
            end = max(end, line.end_s)
        return stretches

    def rng(self, purpose: str) -> random.Random:
        """Chance that depends on the seed, the video and the purpose, on nothing else."""
        told = f"{self.config.seed}:{self.video_id}:{purpose}"
        return random.Random(int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big"))

    def shuffled(self, items: Iterable[Any], rng: random.Random) -> list[Any]:
        items = list(items)
        rng.shuffle(items)
        return items

    def askable(self, moment: Moment) -> bool:
        """Long enough to be sampled, short enough to be worth finding."""
        length = moment.end_s - moment.start_s
        return self.config.min_event_s <= length <= self.config.max_event_share * self.duration_s

    def unique(self, moment: Moment) -> bool:
        """Whether nothing else in the video could be taken for it."""
        rivals = self.speech if moment.kind == "speech" else [*self.visual, *self.scenes]
        return not any(covers(moment.text, m.text) for m in rivals if m is not moment)

    def next(self, moment: Moment, pool: Sequence[Moment]) -> Moment | None:
        """What surely comes next in `pool`: starts soon after the moment ends, before anything else starts."""
        later = [m for m in pool if m.start_s >= moment.end_s - 0.25 and m is not moment]
        if not later or later[0].start_s - moment.end_s > self.config.max_gap_s:
            return None
        alone = len(later) == 1 or later[1].start_s >= later[0].start_s + 0.5
        return later[0] if alone else None

    def previous(self, moment: Moment, pool: Sequence[Moment]) -> Moment | None:
        """What surely came last in `pool` before the moment starts."""
        earlier = sorted(
            (m for m in pool if m.end_s <= moment.start_s + 0.25 and m is not moment), key=lambda m: m.end_s
        )
        if not earlier or moment.start_s - earlier[-1].end_s > self.config.max_gap_s:
            return None
        alone = len(earlier) == 1 or earlier[-2].end_s <= earlier[-1].end_s - 0.5
        return earlier[-1] if alone else None

    def wrong(
        self,
        truth: Moment,
        pool: Iterable[Moment],
        rng: random.Random,
        *,
        asked: Sequence[Moment] = (),
        outside: Span | None = None,
        accept: Callable[[Moment], bool] = lambda m: True,
    ) -> list[Moment]:
        """Wrong options: moments that are clearly something else than `truth` and `asked`, from another time.

        Of the same subject and the same form first: an answer should not stand out. `outside`: a span of time that they
        must not touch. Where there are not `enough`: none at all.
        """
        chosen: list[Moment] = []
        order = self.shuffled(pool, rng)
        order.sort(key=lambda m: (m.parsed.form != truth.parsed.form, m.subject != truth.subject))
        spans = [truth.span, *([outside] if outside else [])]
        for m in order:
            known = [truth, *asked, *chosen]
            if m in known or any(overlap(m.span, span) for span in spans) or not accept(m):
                continue
            if not any(near_duplicates(m.text, k.text) for k in known):
                chosen.append(m)
            if len(chosen) == self.config.num_options - 1:
                break
        return chosen if self.enough(len(chosen)) else []

    def enough(self, num_wrong: int) -> bool:
        """Whether wrong options are as many as are wanted, or one less."""
        return num_wrong >= max(1, self.config.num_options - 2)


def make_video(video_id: str, duration_s: float, events: Iterable[dict[str, Any]], config: WritingConfig) -> Video:
    """The view of rows of the schema EVENT; conversations are left out, spans are cut to the video."""
    moments = []
    for row in events:
        if row["kind"] == "conversation" or row["start_s"] >= duration_s:
            continue
        text = _CAMERA_WEARER.sub("the camera wearer", row["text"])
        moments.append(Moment(row["event_id"], row["start_s"], min(row["end_s"], duration_s), row["kind"], text))
    return Video(video_id, duration_s, tuple(sorted(moments, key=lambda m: (m.start_s, m.end_s, m.event_id))), config)


def overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'


def seconds(time_s: float) -> str:
    """83.0 -> "83 s", 14.52 -> "14.5 s"."""
    return f"{round(time_s, 1):g} s" if time_s < 1e5 else f"{round(time_s)} s"


def span_text(span: Span) -> str:
    return f"{seconds(span[0])} to {seconds(span[1])}"
