"""Questions that assume what is not so."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from stages.qa.config import WritingConfig
from stages.qa.other_events import rows_to_look_at
from stages.qa.plan import Plan, Unanswerable
from stages.qa.realize.wordings import NEVER, OTHER_ORDER
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


TOUCHING = [(10 * i, 10 * i + 10, text) for i, (_, _, text) in enumerate(EIGHT)]
ELSEWHERE = [
    (0, 20, "A surgeon stitches a deep wound with thread."),
    (20, 22, "The sailor hoists a canvas sail on the mast."),
    (30, 60, "An astronaut repairs the antenna of a satellite."),
]


def other(*events):
    return [{**row, "event_id": f"w{row['event_id']}", "video_id": "w"} for row in rows(*events)]


def written(told=TOUCHING, others=(other(*ELSEWHERE),), videos="abcdefghijklmnopqrst", **config):
    settings = WritingConfig(**{"absent_share": 0.2, **config})
    return [p for video in videos for p in write_pairs(rows(*told), 100.0, settings, video, others=others)]


def absent(pairs):
    return [p for p in pairs if p["form"] == "absent"]


def test_events_of_another_video_are_asked_for_as_those_of_this_one_are():
    found, answerable = absent(written()), written(ELSEWHERE, others=())
    asked = {p["question"]: json.loads(p["conversations"])[0]["value"] for p in answerable if p["form"] == "when"}
    assert {p["answer"] for p in found} == {NEVER}
    assert all(not p["options"] and p["flags"] == ["other_video"] and p["task"] == "temporal_grounding" for p in found)
    assert all(p["evidence"] == [{"start_s": 0.0, "end_s": 100.0}] for p in found)
    assert {i for p in found for i in p["event_ids"]} == {"we0", "we1", "we2"}
    in_both = [p for p in found if p["question"] in asked]
    prompts = {p["question"]: json.loads(p["conversations"])[0]["value"] for p in in_both}
    assert len(prompts) > 5
    assert any(prompts[question] == asked[question] for question in prompts)


def test_events_of_another_video_keep_to_their_share_and_to_the_most_pairs():
    pairs = written(absent_share=0.1)
    assert 0.08 < len(absent(pairs)) / len(pairs) < 0.12
    few = written(videos="a", max_pairs=10)
    assert len(few) == 10 and absent(few)
    assert not absent(written(absent_share=0.0))


@pytest.mark.parametrize(
    ("told", "others"),
    [
        pytest.param(EIGHT, ELSEWHERE, id="more than half of the video is untold"),
        pytest.param(TOUCHING, [*TOUCHING[:3], *ELSEWHERE], id="of the same subject"),
        pytest.param(TOUCHING, [(0, 9, "A man in a red shirt smiles and talks to the camera.")], id="in any video"),
        pytest.param(TOUCHING, [(0, 9, "The sailor hoists a ladder on the mast.")], id="a word of this video"),
        pytest.param(TOUCHING, [(0, 9, "He stitches a deep wound with thread.")], id="a pronoun"),
        pytest.param(TOUCHING, [(0, 9, "Der Chirurg näht die tiefe Wunde mit einem Faden.")], id="another language"),
        pytest.param(TOUCHING, [(0, 9, "We stitch the deep wound with thread.", "speech")], id="speech"),
    ],
)
def test_what_may_happen_here_is_not_asked_for(told, others):
    assert not absent(written(told, others=(rows_to_look_at(other(*others)),)))


def test_the_solver_says_that_it_does_not_happen_only_where_nothing_may_be_it():
    line = timeline(*TOUCHING)
    [asked] = timeline(ELSEWHERE[1]).events
    plan = Plan("temporal_grounding", "absent", Unanswerable.EVENT, (), asked=(replace(asked, group=-1),))
    assert check(plan, line.events).holds
    assert not check(plan, timeline(*TOUCHING, (80, 90, "a piece of canvas dries")).events).agrees
    assert not check(plan, timeline(*TOUCHING, ELSEWHERE[1]).events).agrees
