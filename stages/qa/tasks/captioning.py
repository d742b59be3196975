"""Plans of long video captioning: the whole video at two levels of detail, a part of it, a part with times; of a window
which caption is its own.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from stages.qa.answers import same
from stages.qa.event import Event, Span, overlap_s
from stages.qa.names import tells_another
from stages.qa.plan import MAIN, Plan
from stages.qa.similarity import content_words, near_duplicates
from stages.qa.steps import SLACK_S, precedes
from stages.qa.tasks.options import wrong_events
from stages.qa.timeline import Timeline

TASK = "captioning"
BRIEF_EVENTS = 4
# Of the video: two events that fill as much of it tell what it shows.
MOST_OF_IT = 0.6
# A part is at most as much of the video.
MOST_OF_PART = 0.7
# So much of a video may lie untold between two of its main events, or before or after them.
MOST_UNTOLD = 0.4
# What is described from its beginning to its end has at most such holes between its events: about twice as long as the
# times may be wrong, and too short for much that nobody annotated. In a part of a video, so much in all.
MOST_HOLE_S, MOST_HOLES = 5.0, 0.2
# Of a part that is shorter than so many errors of its times, too much may be of other events.
PART_ERRORS = 4.0
# The caption of a clip that fills so much of it tells all of it.
ALL_OF_IT = 0.8


def summary(timeline: Timeline) -> Iterator[Plan]:
    """Asks what happens in the whole video; where some events cannot be told, nobody is asked for all of them."""
    events = _tellable(timeline)
    told = spread(events, timeline.config.caption_events)
    all_events = [e for e in timeline.visual or timeline.scenes if e not in timeline.outlines]
    # What goes on beside the others is not told, though it may be more than their sum.
    are_all = len(told) == len(timeline.visual or timeline.scenes)
    if len(events) <= timeline.config.caption_events and not all(_is_in(event, told) for event in all_events):
        return
    if (len(told) >= 3 and _tell_it(events, timeline)) or _fill(told, timeline.duration_s):
        is_whole = are_all and max(_holes(told, 0.0, timeline.duration_s)) <= MOST_HOLE_S
        yield Plan(TASK, "summary", tuple(told), tuple(told), side="" if is_whole else MAIN, hops=len(told))


def brief(timeline: Timeline) -> Iterator[Plan]:
    """Asks for the main events. Of very many, the longest few would be no summary."""
    events = _tellable(timeline)
    told = spread(events, BRIEF_EVENTS)
    if 2 * BRIEF_EVENTS < len(events) <= 5 * BRIEF_EVENTS and len(told) >= 3 and _tell_it(events, timeline):
        yield Plan(TASK, "brief", tuple(told), tuple(told), hops=len(told))


def part(timeline: Timeline) -> Iterator[Plan]:
    """Asks what mainly happens in a part of the video, in order. The part cuts no event in two."""
    yield from _parts(timeline, "part")


def timed_part(timeline: Timeline) -> Iterator[Plan]:
    """Asks the same as `part`, with times."""
    yield from _parts(timeline, "timed_part")


def in_window(timeline: Timeline) -> Iterator[Plan]:
    """Asks of a window which of these happens in it, and not elsewhere in its video."""
    rng = timeline.rng("in_window")
    elsewhere = [e for e in timeline.elsewhere if not any(same(e, own) for own in timeline.visual)]
    for event in timeline.some(timeline.visual, rng) if elsewhere else []:
        if event.is_spread or not timeline.is_short(event) or not timeline.is_unique(event):
            continue
        if wrong := wrong_events(timeline, event, [], elsewhere, rng):
            yield Plan(TASK, "in_window", event, (event,), wrong=wrong)


WRITERS = (summary, part, timed_part, brief, in_window)


def spread(events: Sequence[Event], count: int) -> list[Event]:
    """Returns at most `count` events in time order.

    They are the longest of each of `count` equal parts, then the longest of the others; none is told twice.
    """
    if len(events) > count:
        start, end = events[0].start_s, max(e.start_s for e in events)
        longest: dict[int, Event] = {}
        for event in events:
            slot = min(count - 1, int(count * (event.start_s - start) / (end - start or 1.0)))
            if slot not in longest or event.end_s - event.start_s > longest[slot].end_s - longest[slot].start_s:
                longest[slot] = event
        others = sorted((e for e in events if e not in longest.values()), key=lambda e: e.start_s - e.end_s)
        chosen = [*longest.values(), *others[: count - len(longest)]]
        events = sorted(chosen, key=lambda e: (e.start_s, e.end_s))
    told: list[Event] = []
    for event in _best_named(events):
        if not (told and _says_again(event, told[-1])) and not any(_is_beside(event, other) for other in told):
            told.append(event)
    return told


def _is_in(event: Event, told: Sequence[Event]) -> bool:
    """Whether an event is among those that are told, or one of them tells of the same moment or says the same."""
    return any(event is e or _says_again(event, e) or _covers(event, e) for e in told)


def _covers(event: Event, other: Event) -> bool:
    longer = max(event.end_s - event.start_s, other.end_s - other.start_s)
    return overlap_s(event.span, other.span) >= ALL_OF_IT * longer


def _best_named(events: Sequence[Event]) -> list[Event]:
    """The events but for those beside which another one says more clearly what is meant."""
    named = [e for e in events if e.is_named]
    return [e for e in events if e.is_named or not any(_is_beside(e, other) for other in named)]


def _says_again(event: Event, last: Event) -> bool:
    """Whether an event may be the last one told again: in about the same words, or in most of them right after it."""
    words, others = content_words(event.text), content_words(last.text)
    shared = len(words & others)
    follows = event.start_s <= last.end_s + SLACK_S and shared >= 3 and shared > 0.5 * min(len(words), len(others))
    return follows or near_duplicates(event.text, last.text)


def _fill(events: Sequence[Event], duration_s: float) -> bool:
    """Whether one caption, or two events that follow one another, leave little of the video untold."""
    if len(events) == 1:
        [event] = events
        is_named = event.is_named and not tells_another(event.text)
        return is_named and event.is_caption and event.end_s - event.start_s >= ALL_OF_IT * duration_s
    is_row = len(events) == 2 and precedes(*events)
    return is_row and sum(e.end_s - e.start_s for e in events) >= MOST_OF_IT * duration_s


def _tell_it(events: Sequence[Event], timeline: Timeline) -> bool:
    """Whether some events leave no long stretch of the video untold."""
    return max(_holes(events, 0.0, timeline.duration_s)) <= MOST_UNTOLD * timeline.duration_s


def _holes(events: Sequence[Event], start_s: float, end_s: float) -> list[float]:
    """The seconds before each event, and after all, in which none happens between two times; by start."""
    holes, told_s = [], start_s
    for event in events:
        holes.append(max(0.0, event.start_s - told_s))
        told_s = max(told_s, event.end_s)
    return [*holes, max(0.0, end_s - told_s)]


def _is_beside(event: Event, other: Event) -> bool:
    """Whether two people may have told of one event: most of the shorter one lies in the other."""
    shorter = min(event.end_s - event.start_s, other.end_s - other.start_s)
    return overlap_s(event.span, other.span) > 0.5 * shorter


def _tellable(timeline: Timeline) -> list[Event]:
    """Visual events that can be told and are more than a word, in time order; not those that only sum up others."""
    events = timeline.visual or timeline.scenes
    return [e for e in events if " " in e.text and e not in timeline.outlines and timeline.is_tellable(e)]


def _parts(timeline: Timeline, form: str) -> Iterator[Plan]:
    rng, given = timeline.rng(form), list[Span]()
    steps = [e for e in timeline.steps if " " in e.text and timeline.is_tellable(e)]
    for first in timeline.some(range(len(steps)), rng):
        inside = steps[first : first + rng.randint(2, 7)]
        start, end = inside[0].start_s, inside[-1].end_s
        beside = (e for e in timeline.around(start + SLACK_S, end - SLACK_S, len(timeline.visual)) if e not in inside)
        cut = any(e not in timeline.outlines for e in beside)
        is_repeated = any(near_duplicates(a.text, b.text) for a, b in pairwise(inside))
        told = any(overlap_s((start, end), other) > 0.3 * min(end - start, other[1] - other[0]) for other in given)
        holes = _holes(inside, start, end)
        is_told = max(holes) <= MOST_HOLE_S and sum(holes) <= MOST_HOLES * (end - start)
        is_whole = len(inside) > 1 and is_told and not cut
        error_s = timeline.error_s(inside[0])
        is_long = PART_ERRORS * error_s <= end - start <= MOST_OF_PART * timeline.duration_s
        if not is_whole or is_repeated or told or not is_long:
            continue
        given.append((start, end))
        yield Plan(TASK, form, tuple(inside), tuple(inside), window=(start, end), hops=len(inside), error_s=error_s)
