"""The solver finds planted wrong plans of every form, and agrees with honest ones."""

from dataclasses import replace
from functools import cache

import pytest

from stages.qa.event import Event
from stages.qa.solver import check, solve
from tests.stages.qa.worlds import EIGHT, RINGS, SCENES, plans, timeline

SAID = [(12, 14, "Climb up there, my boy.", "speech"), (22, 24, "These are fresh potatoes!", "speech"),
        (42, 44, "Mix the paint well.", "speech"), (52, 54, "Jump over it now!", "speech"),
        (72, 74, "All the news is bad.", "speech"), (76, 78, "Who won the football match?", "speech")]  # fmt: skip
WORLD = timeline(*EIGHT, *SCENES, *RINGS, *SAID, num_options=3)
FORMS = (
    "when", "what_at", "occurrence", "missing_occurrence", "neighbour", "between",
    "after_before", "order", "first_or_last", "scene_of", "in_scene",
    "next_scene", "first_or_last_scene", "while_said", "said_while", "said_when", "said_next", "said_order",
    "count", "count_beside", "summary", "part",
    "timed_part",
)  # fmt: skip
NEEDLESS = {"summary", "part", "timed_part"}


@cache
def honest(form):
    return [plan for plan in plans(WORLD, form) if check(plan, WORLD.events).holds]


@pytest.mark.parametrize("form", FORMS)
def test_honest_plans_hold(form):
    written = plans(WORLD, form)
    assert written
    assert len(honest(form)) >= 0.9 * len(written)


@pytest.mark.parametrize("form", [form for form in FORMS if form not in NEEDLESS])
def test_a_wrong_answer_is_found(form):
    found = [plan for plan in honest(form) if plan.wrong]
    for plan in honest(form) if form == "missing_occurrence" else []:  # an open question
        assert not check(replace(plan, answer=plan.answer + 1), WORLD.events).agrees
        assert not check(replace(plan, number=plan.number - 1), WORLD.events).agrees
    for plan in honest(form) if form == "occurrence" else []:  # an open question, too
        others = [e.span for e in WORLD.events if e.group == plan.asked[0].group and e.span != plan.answer]
        assert others
        assert not any(check(replace(plan, answer=other), WORLD.events).agrees for other in others)
    for plan in found:
        swapped = replace(plan, answer=plan.wrong[0], wrong=(plan.answer, *plan.wrong[1:]))
        assert not check(swapped, WORLD.events).agrees
    assert found or form in ("occurrence", "missing_occurrence")


@pytest.mark.parametrize("form", [form for form in FORMS if form not in NEEDLESS])
def test_a_right_option_among_the_wrong_ones_is_found(form):
    for plan in honest(form):
        assert not check(replace(plan, wrong=(*plan.wrong, plan.answer)), WORLD.events).agrees


@pytest.mark.parametrize("form", ["neighbour", "next_scene", "said_next"])
def test_steps_are_counted_among_the_options(form):
    further = [plan for plan in honest(form) if plan.number == 2]
    assert further
    for plan in further:
        [step] = [w for w in plan.wrong if w in plan.evidence]
        assert not check(replace(plan, wrong=tuple(w for w in plan.wrong if w is not step)), WORLD.events).agrees


@pytest.mark.parametrize("form", [form for form in FORMS if form not in NEEDLESS])
def test_needless_evidence_is_found(form):
    for plan in honest(form):
        others = [e for e in WORLD.events if e not in plan.evidence and e not in plan.asked]
        changes = [e for e in others if check(replace(plan, evidence=(*plan.evidence, e)), WORLD.events).holds]
        assert not changes


@pytest.mark.parametrize("form", [form for form in FORMS if form not in NEEDLESS])
def test_missing_evidence_is_found(form):
    for plan in honest(form):
        for gone in plan.evidence:
            left = tuple(e for e in plan.evidence if e is not gone)
            assert not check(replace(plan, evidence=left), WORLD.events).holds


@pytest.mark.parametrize("form", sorted(NEEDLESS))
def test_a_description_out_of_order_or_of_another_part_is_found(form):
    for plan in honest(form):
        assert not check(replace(plan, answer=plan.answer[::-1]), WORLD.events).agrees
        if plan.window:
            later = (plan.window[0] + 20, plan.window[1] + 20)
            assert not check(replace(plan, window=later), WORLD.events).agrees


def test_an_event_that_two_could_be_meant_by_is_not_found():
    line = timeline(*EIGHT, (90, 96, "a dog is digging a hole"))
    [plan, *_] = plans(timeline(*EIGHT), "when")
    asked = line.events[0]
    assert solve(replace(plan, asked=(asked,), answer=asked.span, evidence=(asked,)), line.events) is None


def test_times_that_errors_of_the_annotation_may_make_wrong_are_found():
    """With `time_error_s` = 2: a window at the edge of its event, and a wrong time beside the right one."""
    for plan in honest("what_at"):
        at_the_edge = (plan.answer.start_s, plan.answer.start_s + 1)
        assert not check(replace(plan, window=at_the_edge), WORLD.events).agrees
        assert check(replace(plan, window=at_the_edge, error_s=0.0), WORLD.events).agrees
    for plan in honest("when"):
        beside = (plan.answer[1] + 1, plan.answer[1] + 5)
        assert not check(replace(plan, wrong=(beside,)), WORLD.events).agrees
        assert check(replace(plan, wrong=(beside,), error_s=0.0), WORLD.events).agrees


def test_an_option_that_may_be_true_of_the_right_event_is_found():
    line = timeline(*EIGHT, (84, 90, "the cook sings in the kitchen"))
    for form, text in (("neighbour", "the dog digs in the garden"), ("what_at", "a boy climbs over the fence")):
        for plan in (plan for plan in plans(line, form) if plan.answer.text.startswith(text[:5].capitalize())):
            general = Event("g", 95, 99, "event", text, 99)
            assert check(plan, line.events).holds
            assert not check(replace(plan, wrong=(*plan.wrong[1:], general)), line.events).agrees
