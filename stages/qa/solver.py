"""Answers a plan from a table of events, written apart from the writers of plans: plain loops over all events.

`check` is the audit of a plan: the solver must give the stated answer, reject every wrong one, no longer give the
answer when an event of the evidence is taken away, and give it from the evidence alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stages.qa.event import Event, overlap_s, reason_of
from stages.qa.plan import Answer, Plan
from stages.qa.similarity import holds_of, near_duplicates

_SLACK_S, _SLACK_SHARE = 0.5, 0.25
_ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Verdict:
    """What the solver says of a plan."""

    agrees: bool
    """It gives the stated answer, and rejects all wrong ones."""
    necessary: bool
    """Without any one event of the evidence it no longer gives it."""
    sufficient: bool
    """From the evidence alone it gives it."""

    @property
    def holds(self) -> bool:
        """Whether the plan passes the audit in all three respects."""
        return self.agrees and self.necessary and self.sufficient


def check(plan: Plan, events: Sequence[Event]) -> Verdict:
    """Audits a plan against all events of its video. Captions are exempt from the last two: they have no evidence that
    could be left out.
    """
    found = solve(plan, events)
    agrees = (
        found is not None
        and same(found, plan.answer)
        and not any(same(found, w) or _may_be_right(w, found, plan.error_s) for w in plan.wrong)
    )
    if plan.is_caption or not agrees:
        return Verdict(agrees, agrees, agrees)
    necessary = all(
        (left := solve(plan, [e for e in events if e is not gone])) is None or not same(left, plan.answer)
        for gone in plan.evidence
    )
    alone = solve(plan, plan.evidence)
    return Verdict(True, necessary, alone is not None and same(alone, plan.answer))


def same(a: Answer, b: Answer) -> bool:
    """Whether two answers say the same: times that mostly overlap, events that tell of the same thing."""
    if isinstance(a, Event) and isinstance(b, Event):
        is_paraphrase = a.meaning != "" and a.meaning == b.meaning
        return a.group == b.group or is_paraphrase or near_duplicates(a.text, b.text)
    if isinstance(a, int) or isinstance(b, int):
        return a == b
    if _is_span(a) and _is_span(b):
        return overlap_s(a, b) > 0.3 * min(a[1] - a[0], b[1] - b[0]) or a == b  # type: ignore[arg-type,operator,index]
    if isinstance(a, tuple) and isinstance(b, tuple):
        return [_group(x) for x in a] == [_group(x) for x in b]
    return False


def _may_be_right(wrong: Answer, found: Answer, error_s: float) -> bool:
    """Whether a wrong answer may be right beside the one that was found: it is true of the same event, or so near in
    time that the errors of the annotation may have parted them.
    """
    if isinstance(wrong, Event) and isinstance(found, Event):
        return wrong.kind == found.kind == "event" and holds_of(wrong.text, found.text)
    if _is_span(wrong) and _is_span(found):
        start, end = found  # type: ignore[misc]
        return overlap_s(wrong, (start - error_s, end + error_s)) > 0  # type: ignore[arg-type,operator]
    return False


def _happens(offered: Event, events: Sequence[Event]) -> bool:
    """Whether an offered event is one of some events, or may be true of one of them."""
    return any(same(offered, e) or _may_be_right(offered, e, 0.0) for e in events)


def _group(event: object) -> int:
    return event.group if isinstance(event, Event) else -1


def _is_span(answer: Answer) -> bool:
    return isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(x, (int, float)) for x in answer)


def solve(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """The answer to a plan's question from a table of events; None where they do not tell."""
    return _SOLVERS[plan.form](plan, events)


def _find(events: Sequence[Event], asked: Event) -> Event | None:
    """The one event that is meant by an event's words."""
    found = [e for e in events if e.kind == asked.kind and same(e, asked)]
    return found[0] if len(found) == 1 else None


def _when(plan: Plan, events: Sequence[Event]) -> Answer | None:
    found = _find(events, plan.asked[0])
    return found.span if found else None


def _what_at(plan: Plan, events: Sequence[Event]) -> Answer | None:
    assert plan.window
    start, end = plan.window
    inside = [e for e in events if e.kind == "event" and overlap_s(e.span, plan.window) > 0]
    most = [e for e in inside if overlap_s(e.span, plan.window) >= 0.5 * (end - start)]
    # What the frames show there is this event even where its times are wrong by as much as they may be.
    margin_s = plan.error_s - _ROUNDING_S
    sure = [e for e in most if e.start_s + margin_s <= start and end + margin_s <= e.end_s]
    return sure[0] if len(most) == len(sure) == 1 else None


def _occurrences(plan: Plan, events: Sequence[Event]) -> list[Event]:
    return sorted((e for e in events if e.group == plan.asked[0].group), key=lambda e: e.start_s)


def _occurrence(plan: Plan, events: Sequence[Event]) -> Answer | None:
    found = _occurrences(plan, events)
    if plan.side == "last":
        # Which one is the last only all of them tell, so it is asked for with their number.
        return found[-1].span if len(found) == plan.number else None
    return found[plan.number - 1].span if len(found) >= plan.number else None


def _neighbour(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """The event so many steps after or before the asked one, of the same kind as the answer."""
    asked = _find(events, plan.asked[0])
    if asked is None or not isinstance(plan.answer, Event):
        return None
    kind = plan.answer.kind
    if plan.side == "after":
        pool = sorted((e for e in events if e.kind == kind and _is_after(e, asked)), key=_start)
    else:
        pool = sorted((e for e in events if e.kind == kind and _is_after(asked, e)), key=_end)[::-1]
    return pool[plan.number - 1] if len(pool) >= plan.number else None


def _cause(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """What is told as the cause of the one event that is meant by the words of an effect."""
    effect = plan.asked[0].text
    found = [e for e in events if e.kind == "event" and near_duplicates(e.cause.effect if e.cause else e.text, effect)]
    return reason_of(found[0]) if len(found) == 1 and found[0].cause else None


def _between(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """Of what is offered the one thing that happens between two others."""
    ends = [_find(events, e) for e in plan.asked]
    if None in ends:
        return None
    first, second = sorted((e for e in ends if e), key=_start)
    offered = [w for w in (plan.answer, *plan.wrong) if isinstance(w, Event)]
    inside = [e for e in events if e.kind == first.kind and _is_after(e, first) and _is_after(second, e)]
    fits = [o for o in offered if _happens(o, inside)]
    return fits[0] if len(fits) == 1 else None


def _order(plan: Plan, events: Sequence[Event]) -> Answer | None:
    found = [_find(events, e) for e in plan.listed]
    if None in found:
        return None
    ordered = sorted((e for e in found if e), key=_start)
    apart = all(_is_after(b, a) for a, b in pairwise(ordered))
    return tuple(ordered) if apart else None


def _first_or_last(plan: Plan, events: Sequence[Event]) -> Answer | None:
    ordered = _order(plan, events)
    if not isinstance(ordered, tuple):
        return None
    first = ordered[0] if plan.side == "first" else ordered[-1]
    return first if isinstance(first, Event) else None


def _scene_of(plan: Plan, events: Sequence[Event]) -> Answer | None:
    asked = _find(events, plan.asked[0])
    if asked is None:
        return None
    around = [e for e in events if e.kind == "scene" and overlap_s(e.span, asked.span) > 0]
    return around[0] if len(around) == 1 else None


def _in_scene(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """Of what is offered the one event that happens in a scene."""
    scene = _find(events, plan.asked[0])
    if scene is None:
        return None
    offered = [w for w in (plan.answer, *plan.wrong) if isinstance(w, Event)]
    inside = [e for e in events if e.kind == "event" and overlap_s(e.span, scene.span) > 0]
    fits = [o for o in offered if _happens(o, inside)]
    return fits[0] if len(fits) == 1 else None


def _in_window(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """Of what is offered the one thing that happens at all."""
    offered = [w for w in (plan.answer, *plan.wrong) if isinstance(w, Event)]
    fits = [o for o in offered if _happens(o, [e for e in events if e.kind == o.kind])]
    return fits[0] if len(fits) == 1 else None


def _count(plan: Plan, events: Sequence[Event]) -> Answer | None:
    return len(_occurrences(plan, events))


def _count_beside(plan: Plan, events: Sequence[Event]) -> Answer | None:
    anchor = _find(events, plan.asked[1])
    if anchor is None:
        return None
    found = _occurrences(plan, events)
    return sum(_is_after(e, anchor) if plan.side == "after" else _is_after(anchor, e) for e in found)


def _while(plan: Plan, events: Sequence[Event]) -> Answer | None:
    asked = _find(events, plan.asked[0])
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


def _told(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """The events of a description are all there, in time order, and inside the window that it is about."""
    if not isinstance(plan.answer, tuple):
        return None
    there = [e for e in plan.answer if isinstance(e, Event) and e in events]
    start, end = plan.window or (0.0, float("inf"))
    inside = all(start <= e.start_s and e.end_s <= end + _SLACK_S for e in there)
    in_order = tuple(sorted(there, key=_start)) == plan.answer
    return plan.answer if inside and in_order else None


def _is_after(later: Event, earlier: Event) -> bool:
    """Whether an event begins when another is over; people who cut events let them overlap by a little."""
    if later.start_s <= earlier.start_s or later.end_s <= earlier.end_s:
        return False
    lengths = (later.end_s - later.start_s, earlier.end_s - earlier.start_s)
    return later.start_s >= earlier.end_s - max(_SLACK_S, _SLACK_SHARE * min(lengths))


def _start(event: Event) -> tuple[float, float]:
    return event.start_s, event.end_s


def _end(event: Event) -> tuple[float, float]:
    return event.end_s, event.start_s


_SOLVERS = {
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
