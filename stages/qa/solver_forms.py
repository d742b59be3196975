"""How a question of each form is answered from a table of events, written apart from the writers of plans."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from stages.qa.answers import happens, same
from stages.qa.event import Event, overlap_s, reason_of
from stages.qa.plan import Answer, Plan, Unanswerable
from stages.qa.similarity import content_words, near_duplicates, telling_words
from stages.qa.solver_table import SLACK_S, Table, by_end, by_start, find, is_after, occurrences

_ROUNDING_S = 1e-6


def _offered(plan: Plan) -> list[Event]:
    return [option for option in (plan.answer, *plan.wrong) if isinstance(option, Event)]


def _only(events: Sequence[Event]) -> Event | None:
    return events[0] if len(events) == 1 else None


def _when(plan: Plan, events: Table) -> Answer | None:
    return found.span if (found := find(events, plan.asked[0])) else None


def _what_at(plan: Plan, events: Table) -> Answer | None:
    assert plan.window
    start, end = plan.window
    inside = [e for e in events if e.kind == "event" and overlap_s(e.span, plan.window) > 0]
    most = [e for e in inside if overlap_s(e.span, plan.window) >= 0.5 * (end - start)]
    # What the frames show there is this event even where its times are wrong by as much as they may be.
    margin_s = plan.error_s - _ROUNDING_S
    sure = [e for e in most if e.start_s + margin_s <= start and end + margin_s <= e.end_s]
    return sure[0] if len(most) == len(sure) == 1 else None


def _occurrence(plan: Plan, events: Table) -> Answer | None:
    found = occurrences(plan, events)
    if plan.side == "last":
        # Which one is the last only all of them tell, so it is asked for with their number.
        return found[-1].span if len(found) == plan.number else None
    # Where it does not happen so often, how often it does.
    return found[plan.number - 1].span if len(found) >= plan.number else len(found)


def _neighbour(plan: Plan, events: Table) -> Answer | None:
    """The event so many steps after or before the asked one, of the same kind as the answer.

    All steps on the way must be options: then it is as many steps away whether all events are counted or the options.
    """
    asked = find(events, plan.asked[0])
    if asked is None or not isinstance(plan.answer, Event):
        return None
    same_kind = [e for e in events if e.kind == plan.answer.kind]
    if plan.side == "after":
        pool = sorted((e for e in same_kind if is_after(e, asked)), key=by_start)
    else:
        pool = sorted((e for e in same_kind if is_after(asked, e)), key=by_end)[::-1]
    steps = {o for o in _offered(plan) if any(same(o, e) for e in pool[: plan.number])}
    return pool[plan.number - 1] if len(pool) >= plan.number == len(steps) else None


def _cause(plan: Plan, events: Table) -> Answer | None:
    """What is told as the cause of the one event that is meant by the words of an effect."""
    effect = plan.asked[0].text
    found = [e for e in events if e.kind == "event" and near_duplicates(e.cause.effect if e.cause else e.text, effect)]
    return reason_of(found[0]) if len(found) == 1 and found[0].cause else None


def _between(plan: Plan, events: Table) -> Answer | None:
    """Of what is offered the one thing that happens between two others."""
    ends = [find(events, e) for e in plan.asked]
    if None in ends:
        return None
    first, second = sorted((e for e in ends if e), key=by_start)
    inside = [e for e in events if e.kind == first.kind and is_after(e, first) and is_after(second, e)]
    return _only([o for o in _offered(plan) if happens(o, inside)])


def _after_before(plan: Plan, events: Table) -> Answer | None:
    """Of what is offered the one thing after one event and before another, unless that one comes first."""
    first, second = (find(events, e) for e in plan.asked)
    if first is None or second is None:
        return None
    if is_after(second, first):
        return _between(plan, events)
    return Unanswerable.ORDER if is_after(first, second) else None


def _absent(plan: Plan, events: Table) -> Answer | None:
    """That it does not happen, where nothing that does has a word of it in common."""
    [asked] = plan.asked
    may_be = (e for e in events if same(e, asked) or telling_words(asked.text) & content_words(e.text))
    return Unanswerable.EVENT if next(may_be, None) is None else None


def _order(plan: Plan, events: Table) -> Answer | None:
    found = [find(events, e) for e in plan.listed]
    if None in found:
        return None
    ordered = sorted((e for e in found if e), key=by_start)
    apart = all(is_after(b, a) for a, b in pairwise(ordered))
    return tuple(ordered) if apart else None


def _first_or_last(plan: Plan, events: Table) -> Answer | None:
    ordered = _order(plan, events)
    if not isinstance(ordered, tuple):
        return None
    first = ordered[0] if plan.side == "first" else ordered[-1]
    return first if isinstance(first, Event) else None


def _scene_of(plan: Plan, events: Table) -> Answer | None:
    asked = find(events, plan.asked[0])
    if asked is None:
        return None
    return _only([e for e in events if e.kind == "scene" and overlap_s(e.span, asked.span) > 0])


def _in_scene(plan: Plan, events: Table) -> Answer | None:
    """Of what is offered the one event that happens in a scene."""
    scene = find(events, plan.asked[0])
    if scene is None:
        return None
    inside = [e for e in events if e.kind == "event" and overlap_s(e.span, scene.span) > 0]
    return _only([o for o in _offered(plan) if happens(o, inside)])


def _in_window(plan: Plan, events: Table) -> Answer | None:
    """Of what is offered the one thing that happens at all."""
    return _only([o for o in _offered(plan) if happens(o, [e for e in events if e.kind == o.kind])])


def _count(plan: Plan, events: Table) -> Answer | None:
    return len(occurrences(plan, events))


def _count_beside(plan: Plan, events: Table) -> Answer | None:
    anchor = find(events, plan.asked[1])
    if anchor is None:
        return None
    found = occurrences(plan, events)
    return sum(is_after(e, anchor) if plan.side == "after" else is_after(anchor, e) for e in found)


def _while(plan: Plan, events: Table) -> Answer | None:
    asked = find(events, plan.asked[0])
    if asked is None or not isinstance(plan.answer, Event):
        return None
    start, end = asked.span
    around = (start - plan.error_s, end + plan.error_s)
    at_once = [e for e in events if e.kind == plan.answer.kind and overlap_s(e.span, around) > 0]
    if len(at_once) != 1:
        return None
    seen, line = (at_once[0], asked) if asked.kind == "speech" else (asked, at_once[0])
    surely = (seen.start_s + plan.error_s, seen.end_s - plan.error_s)
    return at_once[0] if overlap_s(surely, line.span) > 0 else None


def _told(plan: Plan, events: Table) -> Answer | None:
    """The events of a description are all there, in time order, and inside the window that it is about."""
    if not isinstance(plan.answer, tuple):
        return None
    there = [e for e in plan.answer if isinstance(e, Event) and e in events]
    start, end = plan.window or (0.0, float("inf"))
    inside = all(start <= e.start_s and e.end_s <= end + SLACK_S for e in there)
    in_order = tuple(sorted(there, key=by_start)) == plan.answer
    return plan.answer if inside and in_order else None


SOLVERS: dict[str, Callable[[Plan, Table], Answer | None]] = {
    "summary": _told,
    "brief": _told,
    "part": _told,
    "timed_part": _told,
    "in_window": _in_window,
    "when": _when,
    "what_at": _what_at,
    "occurrence": _occurrence,
    "neighbour": _neighbour,
    "between": _between,
    "after_before": _after_before,
    "absent": _absent,
    "cause": _cause,
    "order": _order,
    "first_or_last": _first_or_last,
    "scene_of": _scene_of,
    "in_scene": _in_scene,
    "next_scene": _neighbour,
    "first_or_last_scene": _first_or_last,
    "said_when": _when,
    "said_next": _neighbour,
    "said_order": _order,
    "while_said": _while,
    "said_while": _while,
    "count": _count,
    "count_beside": _count_beside,
}
