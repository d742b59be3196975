"""Plans of temporal grounding: when something happens, what happens at a time, when it happens again."""

import random
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from stages.qa.event import Event, Span, overlap_s
from stages.qa.names import tells_another
from stages.qa.plan import Plan
from stages.qa.similarity import content_words, step_of
from stages.qa.steps import SOME
from stages.qa.tasks.options import FEWEST, wrong_spans
from stages.qa.timeline import Timeline

TASK = "temporal_grounding"
# Captions that overlap tell of the same where they have so many words that carry content in common, with the same times
# where they share so much of both.
_SAME_WORDS, _SAME_TIME = 2, 0.5
# After a shorter pause in which nothing else happens, an event may only go on.
_LEAST_PAUSE_S = 10.0
BY_TIME = 0.6
"""Share of the events that are asked for by their time, rather than for it."""


def when(timeline: Timeline) -> Iterator[Plan]:
    """Asks when something happens. Open, or among the times of other events."""
    visual = [e for e in timeline.events if e.kind != "speech" and not e.is_spread]
    by_time = _asked_by_time(timeline)
    yield from _when(timeline, "when", [e for e in visual if e not in by_time], visual)


def said_when(timeline: Timeline) -> Iterator[Plan]:
    """Asks when a line is spoken. Of one or two lines, the transcript with its times would leave nothing to find."""
    if len(timeline.speech) > 2:
        yield from _when(timeline, "said_when", timeline.lines, timeline.speech)


def _when(timeline: Timeline, form: str, events: Sequence[Event], pool: Sequence[Event]) -> Iterator[Plan]:
    rng = timeline.rng(form)
    known = (e for e in events if timeline.is_askable(e) and not tells_another(e.text))
    sure = (e for e in known if not e.has_pause and has_sure_time(timeline, e))
    for event in timeline.some(sure, rng):
        like = [e for e in timeline.near(event, pool) if e.kind == event.kind and e.is_point == event.is_point]
        like.sort(key=lambda e: abs(e.start_s - event.start_s))
        wrong = wrong_spans(timeline, event, like, rng) if rng.random() < 0.5 else None
        error_s = timeline.error_s(event)
        yield Plan(TASK, form, event.span, (event,), wrong=wrong or (), asked=(event,), error_s=error_s)


def what_at(timeline: Timeline) -> Iterator[Plan]:
    """Asks what happens in these seconds, among events that follow one another, each as likely to be right."""
    by_time = _asked_by_time(timeline)
    for event in timeline.some(by_time, timeline.rng("what_at")):
        error_s, window = timeline.error_s(event), _own_part(timeline, event)
        yield Plan(TASK, "what_at", event, (event,), wrong=by_time[event], window=window, error_s=error_s)


@lru_cache(maxsize=1)  # both forms ask for it, one after the other
def _asked_by_time(timeline: Timeline) -> dict[Event, tuple[Event, ...]]:
    """The events that `what_at` asks for, and which others it offers beside each; `when` asks for the rest.

    Were an event left to it that `when` cannot ask for ("he waves"), or were what comes first or last in the video
    offered more often than asked for, its words alone would tell whether it is the right option. So which events are
    asked for is drawn, and those of a row are options of one another.
    """
    rng = timeline.rng("asked_by_time")
    fitting = [e for e in timeline.steps if _own_part(timeline, e) and timeline.is_short(e) and timeline.is_unique(e)]
    return {
        event: tuple(rng.sample([e for e in row if e is not event], len(row) - 1))
        for row in rows(fitting, timeline.config.num_options, rng)
        for event in row
        if rng.random() < BY_TIME
    }


def rows(events: Sequence[Event], most: int, rng: random.Random) -> Iterator[Sequence[Event]]:
    """Divides events into rows of at most `most`, as equal in size as can be; none where they are too few for one."""
    fewest = min(FEWEST, most)
    count = -(-len(events) // most)
    if count and len(events) // count < fewest:  # five events: four of them
        count = len(events) // most
        first = rng.randint(0, len(events) - count * most)
        events = events[first : first + count * most]
    ends = [len(events) * i // count for i in range(count + 1)] if count else []
    yield from (events[start:end] for start, end in pairwise(ends))


def _own_part(timeline: Timeline, event: Event) -> Span | None:
    """Where cuts overlap a little, the part that is an event's alone, and that it surely fills; None: too short."""
    before, after = timeline.step(event, -1), timeline.step(event, 1)
    error_s = timeline.error_s(event)
    start = max(event.start_s + error_s, before.end_s if before else 0.0)
    end = min(event.end_s - error_s, after.start_s if after else event.end_s)
    is_long = end - start >= max(error_s / 2, timeline.config.min_event_s)
    return (start, end) if is_long and not event.is_point else None


def occurrence(timeline: Timeline) -> Iterator[Plan]:
    """Asks when something happens for the second time, or the last.

    Open: a first time is early in the video and a last one late, so among other times it would be known.
    """
    rng = timeline.rng("occurrence")
    for group in timeline.some(repeated(timeline), rng):
        number = rng.randint(1, min(len(group), 5))
        side = "last" if number == len(group) and rng.random() < 0.5 else ""
        event = group[number - 1]
        yield Plan(
            TASK,
            "occurrence",
            event.span,
            tuple(group[:number]),
            asked=(event,),
            number=number,
            side=side,
            hops=number,
            error_s=timeline.error_s(event),
        )


WRITERS = (when, what_at, occurrence, said_when)


def repeated(timeline: Timeline) -> Iterator[list[Event]]:
    """Yields groups of visual events that happen several times, one after the other.

    Nothing else tells of them, and none has an event that was put together of several: whether those count as one is
    not for the annotation to tell.
    """
    is_whole = whole_counts(timeline)
    for group in timeline.groups.values():
        if not 2 <= len(group) <= timeline.config.max_count or group[0].kind != "event":
            continue
        apart = all(_is_anew(timeline, a, b) for a, b in pairwise(group))
        named = all(e.is_named and not e.is_joined and timeline.is_short(e) for e in group)
        if apart and named and is_whole(group[0]) and not timeline.rivals(group[0]):
            yield group


def _is_anew(timeline: Timeline, a: Event, b: Event) -> bool:
    """Whether an event happens anew, and does not only go on after a pause of which nothing is told."""
    pause = (a.end_s, b.start_s)
    told = (e for e in timeline.around(*pause) if e.group != a.group and e not in timeline.outlines)
    return pause[0] <= pause[1] and (
        pause[1] - pause[0] >= _LEAST_PAUSE_S or any(overlap_s(e.span, pause) > 0 for e in told)
    )


def whole_counts(timeline: Timeline) -> Callable[[Event], bool]:
    """Tells of which events each time is told in the same words, not some as the same step done in another way.

    "Roll out the dough into a thin circle" is not all of it where another event is "roll out the dough with a pin".
    """
    groups: dict[tuple[str, ...], set[int]] = {}
    for event in timeline.visual:
        groups.setdefault(step_of(event.text), set()).add(event.group)
    return lambda event: not step_of(event.text) or len(groups[step_of(event.text)]) == 1


def has_sure_time(timeline: Timeline, event: Event) -> bool:
    """Returns whether no other visual event that may be the same lies at about the same place, but with other times.

    Where several people caption one video, one may see "the beans are cut" where another sees its last cut alone.
    """
    words = content_words(event.text)
    return not any(
        overlap_s(event.span, e.span) < _SAME_TIME * (max(event.end_s, e.end_s) - min(event.start_s, e.start_s))
        and len(words & content_words(e.text)) >= _SAME_WORDS
        for e in timeline.around(event.start_s, event.end_s, SOME)
        if e is not event and not e.is_spread and e not in timeline.outlines
    )
