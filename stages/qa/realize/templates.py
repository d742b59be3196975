"""The realizer `templates`: English sentences that quote events, so that they are right whatever the captions are."""

import random
from dataclasses import dataclass
from itertools import groupby

from stages.qa.event import Event, Span
from stages.qa.grammar import is_sentence, lacks_article
from stages.qa.plan import MAIN, Answer, Plan, Unanswerable
from stages.qa.realize.clause import inverted
from stages.qa.realize.wordings import HINTS, NEVER, NONE, ORDINALS, OTHER_ORDER, POINT_HINT, REPEAT_RULE, WORDINGS

# An event that is shorter than so many errors of its times is at a time, rather than from one to another.
SPAN_ERRORS = 3.0


# The wordings for one step after or before, and for more.
_SIDES = {
    ("neighbour", "after"): ("next", "further"),
    ("neighbour", "before"): ("previous", "earlier"),
    ("said_next", "after"): ("said_next", "said_further"),
    ("said_next", "before"): ("said_previous", "said_earlier"),
    ("next_scene", "after"): ("next_scene", "further_scene"),
    ("next_scene", "before"): ("previous_scene", "earlier_scene"),
}
# Whose frames the options tell as well as the named events.
_ASK_WITH_OPTIONS = ("neighbour", "between", "after_before", "next_scene", "said_next", "scene_of", "in_scene")


@dataclass(frozen=True)
class Realized:
    """Holds a plan in words.

    Attributes:
        question: without options.
        answer: the right option, or an open answer.
        wrong: the other options.
        hint: how to answer; for a model to read, no part of the question.
        queries: what frames are selected by, one after the other: no more than question and options tell.
    """

    question: str
    answer: str
    wrong: tuple[str, ...]
    hint: str
    queries: tuple[str, ...]


def realize(plan: Plan, rng: random.Random) -> Realized:
    """Returns the words of a plan; another `rng`, another of its wordings."""
    question = _question(plan, rng)
    if plan.is_order:
        listed = "; ".join(f"({number}) {_quoted(e)}" for number, e in enumerate(plan.listed, 1))
        question = f"{question} {listed}"
    answer, wrong = _answer(plan, plan.answer), tuple(_answer(plan, w) for w in plan.wrong)
    if plan.is_none:
        answer = NONE
    elif plan.offers_none:
        wrong = (*wrong, NONE)
    open_hint = HINTS.get(plan.form, "") if not wrong else ""
    hint = POINT_HINT if open_hint and _is_point(plan) else open_hint
    if plan.form in ("count", "count_beside"):
        hint = REPEAT_RULE
    return Realized(question, answer, wrong, hint, _queries(plan, question, [answer, *wrong]))


def _question(plan: Plan, rng: random.Random) -> str:
    asked = plan.asked[0] if plan.asked else None
    does = inverted(asked.text) if asked and asked.kind != "speech" else None
    wordings = [w for w in WORDINGS[_wording_of(plan)] if does or "{does}" not in w]
    start, end = _both(plan.window or (0.0, 0.0), plan.error_s)
    question = rng.choice(wordings).format(
        a=_quoted(plan.asked[0]) if plan.asked else "",
        b=_quoted(plan.asked[1]) if len(plan.asked) > 1 else "",
        does=does,
        nth=ORDINALS.get(plan.number, f"{plan.number}th"),
        side=plan.side,
        Side=plan.side.capitalize(),
        scene="chapter" if any(e.is_title for e in plan.told) else "scene",
        start=start,
        end=end,
    )
    return question.replace('?"?', '?"')  # the mark of a quoted question ends the whole


def _wording_of(plan: Plan) -> str:
    if plan.form == "occurrence" and plan.side == "last":
        return "last_occurrence"
    if plan.is_absent:
        return "when"
    if plan.form in ("when", "summary", "brief") and plan.evidence[0].kind == "scene":
        return f"{plan.form}_of_scene"
    if plan.form == "summary" and len({e.event_id for e in plan.evidence}) == 1:
        text = plan.evidence[0].text
        return "title" if len(plan.evidence) == 1 and (not is_sentence(text) or lacks_article(text)) else "caption"
    if plan.form == "summary" and plan.side == MAIN:
        return "main_events"
    if (plan.form, plan.side) not in _SIDES:
        return plan.form
    name = _SIDES[plan.form, plan.side][plan.number > 1]
    return f"{name}_of_these" if f"{name}_of_these" in WORDINGS and plan.wrong and not plan.may_be_none else name


def _answer(plan: Plan, value: Answer) -> str:
    if isinstance(value, Event):
        return _option(value)
    if isinstance(value, Unanswerable):
        return OTHER_ORDER if value is Unanswerable.ORDER else NEVER
    if isinstance(value, int):
        return str(value) if plan.form != "occurrence" else f"It does not: it happens only {value} times"
    if plan.is_order:
        return ", ".join(f"({plan.listed.index(e) + 1})" for e in value if isinstance(e, Event))
    if plan.is_caption:
        return _story([e for e in value if isinstance(e, Event)], plan.form == "timed_part", plan.error_s)
    span: Span = value  # type: ignore[assignment]
    if _is_brief(plan):
        span = (sum(span) / 2, sum(span) / 2)
    return _times(span, plan.error_s, is_point=_is_point(plan), is_open=not plan.wrong)


def _is_point(plan: Plan) -> bool:
    """Whether the answer is one time, or would be if the event happened."""
    return _timed(plan).is_point or _is_brief(plan)


def _is_brief(plan: Plan) -> bool:
    """Whether the event of an open answer is too short beside the error of its times to tell both of them."""
    event = _timed(plan)
    is_span = not event.is_point and not plan.wrong
    return is_span and event.end_s - event.start_s < SPAN_ERRORS * plan.error_s


def _timed(plan: Plan) -> Event:
    return (plan.evidence or plan.asked)[-1]


def _story(events: list[Event], with_times: bool, error_s: float) -> str:
    """A numbered line per event; the sentences of one caption, whose times are not known, in one line.

    With full stops where all lines are sentences: a caption like "A man with a dog" has none.
    """
    captions = [list(same) for _, same in groupby(events, key=lambda e: e.event_id)]
    lines = []
    for told in captions:
        time = f"{_times(told[0].span, error_s, is_point=told[0].is_point)}: " if with_times else ""
        lines.append(time + ". ".join(e.text for e in told))
    if any(len(told) > 1 for told in captions) or all(is_sentence(e.text) for e in events):
        lines = [f"{line}." for line in lines]
    return lines[0] if len(lines) == 1 else "\n".join(f"{i}. {line}" for i, line in enumerate(lines, 1))


def _times(span: Span, error_s: float, *, is_point: bool = False, is_open: bool = False) -> str:
    if is_point:
        return f"{'At about' if is_open else 'about'} {_round(span[0])} s"
    start, end = _both(span, error_s)
    return f"From {start} to {end}" if is_open else f"{start} to {end}"


def _both(span: Span, error_s: float) -> tuple[str, str]:
    """83.0 -> "83 s", 14.52 -> "14.5 s"; in whole seconds where more would say more than is known."""
    start, end = (str(_round(time)) for time in span)
    if error_s < 1 or start == end:
        start, end = (f"{round(time, 1):.1f}".removesuffix(".0") for time in span)
    return f"{start} s", f"{end} s"


def _round(time_s: float) -> int:
    """To whole seconds, a half upwards."""
    return int(time_s + 0.5)


def _option(event: Event) -> str:
    return _quoted(event) if event.kind == "speech" else event.text


def _quoted(event: Event) -> str:
    """In quotation marks; a spoken line without its full stop, which other lines of a transcript lack."""
    text = event.text.removesuffix(".") if event.kind == "speech" and not event.text.endswith("..") else event.text
    return '"' + text + '"'


def _queries(plan: Plan, question: str, options: list[str]) -> tuple[str, ...]:
    """The texts of the named events, an event that bounds the search first; where none is named, of the listed ones or
    the options, in an order that tells nothing; else the question.
    """
    if plan.form == "count_beside":
        counted, anchor = plan.asked
        return anchor.text, counted.text
    if plan.asked and plan.form not in _ASK_WITH_OPTIONS:
        return tuple(e.text for e in plan.asked)
    if plan.listed:
        return tuple(sorted(e.text for e in plan.listed))
    offered = sorted(o.strip('"') for o in options if o not in (NONE, OTHER_ORDER)) if len(options) > 1 else []
    return (*(e.text for e in plan.asked), *offered) or (question,)
