"""Event counting: how many times does a thing happen? Only where the annotation tells of it again and again."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from stages.qa.draft import Draft, Template
from stages.qa.mentions import noun_mentions
from stages.qa.moment import Moment, Span, quoted
from stages.qa.similarity import content_words, near_duplicates, subject_head
from stages.qa.video import Video

# Anchors and listed events are chosen from this many: to know that each is unique costs a look at all.
_SOME = 60
# What is told of again this soon was perhaps in view all the while.
_SEPARATE_S = 30.0
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_COMMON = """about because could didn't don't doesn't going gonna isn't little maybe other really right should
something that's their there these thing things think those through wanna we're what's where which while would
you're you've they're"""
_COMMON_WORDS = frozenset(_COMMON.split())


def times(video: Video) -> Iterator[Draft]:
    """How often happens what is told several times in the same words."""
    rng = video.rng("event_counting/times")
    for group in video.shuffled(video.repeated, rng):
        if question := _how_many(group[0]):
            yield _count(video, question, group, rng)


def times_before_or_after(video: Video) -> Iterator[Draft]:
    """The same, up to or from an event that happens once."""
    rng = video.rng("event_counting/times_before_or_after")
    groups = video.shuffled(video.repeated, rng)
    some = video.shuffled((m for m in [*video.visual, *video.scenes] if groups and video.askable(m)), rng)[:_SOME]
    anchors = [m for m in some if video.unique(m)]
    for group in groups:
        for anchor in video.shuffled(anchors, rng):
            side = rng.choice(("before", "after"))
            if side == "before":
                counted = [m for m in group if m.end_s <= anchor.start_s]
                clear = all(m.end_s <= anchor.start_s or m.start_s >= anchor.start_s for m in group)
            else:
                counted = [m for m in group if m.start_s >= anchor.end_s]
                clear = all(m.start_s >= anchor.end_s or m.end_s <= anchor.end_s for m in group)
            question = _how_many(group[0], f" {side} {anchor.when}")
            if question and clear and 0 < len(counted) < len(group):
                yield _count(video, question, counted, rng, asked=(anchor.text,))
                break


def of_listed(video: Video) -> Iterator[Draft]:
    """How many of some listed events come before, or after, another: true however much the annotation leaves out."""
    rng = video.rng("event_counting/of_listed")
    for pool in (video.visual, video.speech):
        some = video.shuffled((m for m in pool if video.askable(m) and m.has_words), rng)[:_SOME]
        usable = [m for m in some if video.unique(m)]
        for anchor in video.shuffled(usable, rng):
            size = video.config.num_options
            count, side = rng.randint(0, size), rng.choice(("before", "after"))
            early = [m for m in usable if m.end_s + 1.0 <= anchor.start_s]
            late = [m for m in usable if m.start_s >= anchor.end_s + 1.0]
            counted, others = (early, late) if side == "before" else (late, early)
            if len(counted) < count or len(others) < size - count:
                continue
            counted = rng.sample(counted, count)
            listed = video.shuffled([*counted, *rng.sample(others, size - count)], rng)
            if any(
                near_duplicates(a.text, b.text)
                for i, a in enumerate([anchor, *listed])
                for b in listed[i:]
                if a is not b
            ):
                continue
            yield _listed(anchor, listed, counted, side)


def once(video: Video) -> Iterator[Draft]:
    """What happens only once, where other things happen more often: one must be a possible answer. At most one pair."""
    rng = video.rng("event_counting/once")
    verbs = {group[0].parsed.base for group in video.repeated}
    for moment in video.shuffled(video.visual, rng):
        if moment.parsed.base in verbs and video.unique(moment) and (question := _how_many(moment)):
            yield _count(video, question, [moment], rng)
            return


def appearances(video: Video) -> Iterator[Draft]:
    """In how many separate parts of the video something comes into view that is not its main matter."""
    if not video.config.count_mentions:
        return
    rng = video.rng("event_counting/appearances")
    for name, plural, group in video.shuffled(noun_mentions(video), rng):
        spans = separate([m.span for m in group], _SEPARATE_S)
        if len(spans) >= 2:
            question = f"In how many separate parts of the video {'do' if plural else 'does'} {name} appear?"
            yield _count(video, question, group, rng, spans=spans, flags=("annotation_dependent",))


def words_said(video: Video) -> Iterator[Draft]:
    """How often a word is said."""
    rng = video.rng("event_counting/words_said")
    said: Counter[str] = Counter()
    lines: dict[str, list[Moment]] = {}
    for line in video.speech:
        for word in _WORD.findall(line.text.lower()):
            said[word] += 1
            if not lines.setdefault(word, []) or lines[word][-1] is not line:
                lines[word].append(line)
    for word in video.shuffled(sorted(said), rng):
        if 2 <= said[word] <= video.config.max_count and _telling(word):
            question = f"How many times is the word {quoted(word)} said?"
            yield _count(video, question, lines[word], rng, number=said[word], flags=("from_speech",))


TEMPLATES: dict[str, Template] = {
    "times": times,
    "times_before_or_after": times_before_or_after,
    "of_listed": of_listed,
    "appearances": appearances,
    "words_said": words_said,
    "once": once,
}


def separate(spans: Sequence[Span], gap_s: float) -> list[Span]:
    """Spans with those put together that lie less than `gap_s` apart."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] < gap_s:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _how_many(moment: Moment, tail: str = "") -> str | None:
    return f"How many times {moment.question}{tail}?" if moment.question else None


def _listed(anchor: Moment, listed: Sequence[Moment], counted: Sequence[Moment], side: str) -> Draft:
    names = "; ".join(f"({letter}) {m.sentence}" for letter, m in zip("abcdefgh", listed, strict=False))
    speech = anchor.kind == "speech"
    what, verb = ("lines", "are spoken") if speech else ("events", "happen")
    told = quoted(anchor.text) if speech else anchor.when
    question = f"How many of these {what} {verb} {side} {told}: {names}?"
    seen = sorted([anchor, *listed], key=lambda m: m.start_s)
    return Draft(
        question,
        str(len(counted)),
        tuple(m.span for m in seen),
        tuple(m.event_id for m in seen),
        wrong=tuple(str(n) for n in range(len(listed) + 1) if n != len(counted)),
        flags=("from_speech",) if speech else (),
    )


def _telling(word: str) -> bool:
    long_enough = len(word) >= 3 if word.isdigit() else len(word) >= 5
    return long_enough and word not in _COMMON_WORDS and content_words(word) == {subject_head(word)}


def _count(
    video: Video,
    question: str,
    group: Sequence[Moment],
    rng,
    *,
    spans: Sequence[Span] = (),
    number: int = 0,
    asked: Sequence[str] = (),
    flags: Sequence[str] = (),
) -> Draft:
    """Wrong options are the numbers around the right one, which stands anywhere among them."""
    spans = spans or [m.span for m in group]
    count = number or len(spans)
    lowest = rng.randint(max(1, count - video.config.num_options + 1), count)
    wrong = [str(n) for n in range(lowest, lowest + video.config.num_options) if n != count]
    return Draft(
        question,
        str(count),
        tuple(spans),
        tuple(m.event_id for m in group),
        wrong=tuple(wrong),
        asked=(*asked, *dict.fromkeys(m.text for m in group)) if not flags else tuple(asked),
        flags=tuple(flags),
    )
