"""Questions that assume what is not so."""

import json
from collections import Counter

from stages.qa.config import WritingConfig
from stages.qa.plan import Unanswerable
from stages.qa.realize.wordings import OTHER_ORDER
from stages.qa.solver import check
from stages.qa.writing import write_pairs
from tests.stages.qa.worlds import EIGHT, RINGS, plans, rows, timeline

LINE = timeline(*EIGHT, *RINGS)


def test_the_other_order_is_offered_always_and_right_as_often_as_each_option():
    found = plans(LINE, "after_before", seeds=150)
    assert all(Unanswerable.ORDER in (plan.answer, *plan.wrong) for plan in found)
    right = Counter(plan.has_false_premise for plan in found)
    expected = sum(1 / (1 + len(plan.wrong)) for plan in found)
    assert 0.8 < right[True] / expected < 1.25
    for plan in found:
        assert (plan.asked[0].start_s > plan.asked[1].start_s) == plan.has_false_premise
        assert check(plan, LINE.events).holds


def test_events_offered_with_a_false_premise_lie_where_those_of_others_do():
    """Else the options would tell whether the premise holds."""

    def inside(plan):
        low, high = sorted(e.start_s for e in plan.asked)
        return sum(low < e.start_s < high for e in (plan.answer, *plan.wrong) if not isinstance(e, Unanswerable))

    assert {inside(plan) for plan in plans(LINE, "after_before", seeds=60)} == {1}


def test_an_occurrence_too_many_is_told_to_be_none():
    found = plans(LINE, "missing_occurrence", seeds=40)
    assert {(plan.answer, plan.number, len(plan.evidence)) for plan in found} == {(3, 4, 3)}
    assert all(check(plan, LINE.events).holds for plan in found)


def test_pairs_with_a_false_premise_are_flagged_and_say_so():
    told: dict[bool, list] = {True: [], False: []}
    for seed in range(20):
        for pair in write_pairs(rows(*EIGHT, *RINGS), 100.0, WritingConfig(seed=seed), "v"):
            if pair["form"] in ("after_before", "occurrence"):
                told["false_premise" in pair["flags"]].append(pair)
    assert {p["answer"] for p in told[True]} == {OTHER_ORDER, "It does not: it happens only 3 times"}
    assert all(p["answer"] != OTHER_ORDER for p in told[False])
    assert all(OTHER_ORDER in p["options"] for p in told[False] if p["form"] == "after_before")
    [turn] = [p for p in told[True] if p["form"] == "occurrence"][:1]
    assert "for the fourth time" in json.loads(turn["conversations"])[0]["value"]
