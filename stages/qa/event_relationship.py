"""Event relationship: what comes before, after and between, and in what order things happen."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from stages.qa.draft import Draft, Template, choice
from stages.qa.moment import Moment, quoted
from stages.qa.similarity import near_duplicates
from stages.qa.video import Video

_LETTERS = "abcdefgh"


def after(video: Video) -> Iterator[Draft]:
    """What happens right after an event that happens once."""
    yield from _neighbour(
        video, "after", video.next, "What happens right after {when}?", "Which line comes right after {line}?"
    )


def before(video: Video) -> Iterator[Draft]:
    """What happens right before an event that happens once."""
    ask, said = "What happens right before {when}?", "Which line comes right before {line}?"
    yield from _neighbour(video, "before", video.previous, ask, said)


def between(video: Video) -> Iterator[Draft]:
    """What happens after one event and before another."""
    rng = video.rng("event_relationship/between")
    pool = video.visual
    for first in video.shuffled((m for m in pool if m.has_words), rng):
        middle = video.next(first, pool)
        last = video.next(middle, pool) if middle else None
        if middle is None or last is None or not _distinct([first, middle, last]):
            continue
        if not (video.unique(first) and video.unique(last)):
            continue
        wrong = video.wrong(middle, pool, rng, asked=(first, last), outside=(first.start_s, last.end_s))
        if wrong:
            question = f"What happens between the moment when {first.when} and the moment when {last.when}?"
            yield choice(question, middle, wrong, (first, middle, last), asked=(first, last))


def first_or_last(video: Video) -> Iterator[Draft]:
    """Which of some events happens first, or last."""
    rng = video.rng("event_relationship/first_or_last")
    for pool in _pools(video):
        for chosen in _samples(video, pool, video.config.num_options, rng):
            place = rng.choice(("first", "last"))
            truth = chosen[0] if place == "first" else chosen[-1]
            verb = "is spoken" if truth.kind == "speech" else "happens"
            what = "lines" if truth.kind == "speech" else "events"
            question = f"Which of these {what} {verb} {place} in the video?"
            yield replace(choice(question, truth, [m for m in chosen if m is not truth], chosen), query_options=True)


def order(video: Video) -> Iterator[Draft]:
    """In what order some events happen, that the question lists in another order."""
    rng = video.rng("event_relationship/order")
    for pool in _pools(video):
        for chosen in _samples(video, pool, 3, rng):
            listed = video.shuffled(chosen, rng)
            if listed == chosen:
                continue
            names = {m.event_id: f"({_LETTERS[i]})" for i, m in enumerate(listed)}
            right = tuple(names[m.event_id] for m in chosen)
            orders = [p for p in permutations(names.values()) if p != right]
            wrong = [", ".join(p) for p in rng.sample(orders, min(len(orders), video.config.num_options - 1))]
            lines = "; ".join(f"{names[m.event_id]} {m.sentence}" for m in listed)
            verb = "are these lines spoken" if chosen[0].kind == "speech" else "do these events happen"
            yield Draft(
                f"In what order {verb}: {lines}?".replace("??", "?"),
                ", ".join(right),
                tuple(m.span for m in chosen),
                tuple(m.event_id for m in chosen),
                wrong=tuple(wrong),
                flags=_flags(chosen[0]),
            )


TEMPLATES: dict[str, Template] = {
    "after": after,
    "before": before,
    "between": between,
    "first_or_last": first_or_last,
    "order": order,
}


def _neighbour(
    video: Video, name: str, find: Callable[[Moment, list[Moment]], Moment | None], ask: str, said: str
) -> Iterator[Draft]:
    rng = video.rng(f"event_relationship/{name}")
    asked_for = [m for pool in _pools(video) for m in pool]
    for moment in video.shuffled(asked_for, rng):
        pool = video.speech if moment.kind == "speech" else video.visual
        truth = find(moment, pool)
        if truth is None or not video.unique(moment) or not _distinct([moment, truth]):
            continue
        # What follows a little later could pass for "right after" too: wrong options lie further away.
        margin = video.config.max_gap_s + 5.0
        near = (min(moment.start_s, truth.start_s) - margin, max(moment.end_s, truth.end_s) + margin)
        wrong = video.wrong(truth, pool, rng, asked=(moment,), outside=near)
        if wrong:
            question = (said if moment.kind == "speech" else ask).format(when=moment.when, line=quoted(moment.text))
            yield choice(question, truth, wrong, (moment, truth), asked=(moment,))


def _pools(video: Video) -> list[list[Moment]]:
    return [[m for m in pool if video.askable(m) and m.has_words] for pool in (video.visual, video.speech)]


def _samples(video: Video, pool: Sequence[Moment], count: int, rng) -> Iterator[list[Moment]]:
    """Moments that happen once and one after the other, in time order; each moment in at most one sample."""
    left = video.shuffled(pool, rng)
    while len(left) >= count:
        chosen: list[Moment] = []
        for m in left:
            apart = all(m.start_s >= k.end_s + 1.0 or k.start_s >= m.end_s + 1.0 for k in chosen)
            if apart and _distinct([*chosen, m]) and video.unique(m):
                chosen.append(m)
            if len(chosen) == count:
                break
        if len(chosen) < count:
            return
        left = [m for m in left if m not in chosen]
        yield sorted(chosen, key=lambda m: m.start_s)


def _distinct(moments: Sequence[Moment]) -> bool:
    return not any(near_duplicates(a.text, b.text) for i, a in enumerate(moments) for b in moments[:i])


def _flags(moment: Moment) -> tuple[str, ...]:
    return ("from_speech",) if moment.kind == "speech" else ()
