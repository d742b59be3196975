"""Causes that captions tell."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from stages.qa.cause import cause_of
from stages.qa.realize.rewording import problem
from stages.qa.realize.templates import realize
from stages.qa.solver import check
from stages.qa.writing import write_pairs
from tests.stages.qa.worlds import EIGHT, plans, rows, timeline

CAUSED = [
    (2, 8, "The man falls because he slips on the ice"),
    (12, 18, "The dog barks because a stranger rings the bell"),
    (22, 28, "The children laugh because the clown drops a pie"),
    (32, 38, "The bus stops because the road is closed"),
    (42, 48, "The cook covers the pot so that the soup stays hot"),
]


@pytest.mark.parametrize(
    ("sentence", "effect", "reason"),
    [
        ("The man falls because he slips on the ice", "The man falls", "because he slips on the ice"),
        ("A dog barks, because of the thunder", "A dog barks", "because of the thunder"),
        ("Cover the pot so that it boils faster", "Cover the pot", "so that it boils faster"),
        ("A woman bends down in order to tie a shoe", "A woman bends down", "in order to tie a shoe"),
        ("The game is cancelled due to the rain", "The game is cancelled", "due to the rain"),
        ("The people run because there is a fire", "The people run", "because there is a fire"),
    ],
)
def test_causes_that_are_certain(sentence, effect, reason):
    assert cause_of(sentence) == (effect, reason)


@pytest.mark.parametrize(
    "sentence",
    [
        "The man falls",
        "It is because of the rain",
        "He falls because he slips",  # who falls another sentence tells
        "A man runs and a dog falls because it is slippery",  # which of the two?
        "The boy does not eat because he is sick",
        "The boy doesn't eat because he is sick",
        "The man falls because he slips and breaks a leg",
        "The man falls, perhaps because he slips",
        "The man falls because he slips because of the ice",
        "The man falls because",
        "The reason is because he slips",
        "The elevator moves up so that the outside view is now black",  # what comes of it
    ],
)
def test_what_is_not_certain_is_no_cause(sentence):
    assert cause_of(sentence) is None


def test_a_cause_is_asked_for_among_the_causes_of_the_same_video():
    line = timeline(*CAUSED)
    asked = plans(line, "cause")
    assert {p.asked[0].text for p in asked} == {text.split(" because ")[0].split(" so that ")[0] for *_, text in CAUSED}
    for plan in asked:
        assert check(plan, line.events).holds
        words = [option.text.split()[0] for option in (plan.answer, *plan.wrong)]
        assert len({*words}) == 1
        # There is one purpose alone: nothing of its form could stand beside it.
        assert len(words) == (4 if words[0] == "Because" else 1)


def test_the_solver_finds_spoiled_causes():
    line = timeline(*CAUSED)
    plan = next(p for p in plans(line, "cause") if p.wrong)
    other = next(e for e in line.events if e not in plan.evidence)
    for spoiled in (
        replace(plan, answer=plan.wrong[0], wrong=(plan.answer, *plan.wrong[1:])),
        replace(plan, wrong=(plan.answer, *plan.wrong[1:])),
        replace(plan, evidence=()),
        replace(plan, evidence=(*plan.evidence, other)),
        replace(plan, asked=(other,)),
    ):
        assert not check(spoiled, line.events).holds
    again = timeline(*CAUSED, (60, 66, "The man falls because he trips over a cable"))
    # The man falls twice: which of the causes is asked for nobody can say.
    falls = [p for p in plans(again, "cause") if p.asked[0].text == "The man falls"]
    assert falls
    assert not any(check(plan, again.events).holds for plan in falls)


def test_causes_in_words_of_both_realizers():
    line = timeline(*CAUSED)
    questions = set()
    for plan in plans(line, "cause"):
        words = realize(plan, random.Random(len(questions)))
        assert words.answer.startswith(("Because ", "So that "))
        effect = plan.asked[0].text
        assert effect in words.question or words.question.startswith("Why does ")
        assert words.queries == (effect,)
        questions.add(words.question)
    assert len(questions) > 8
    old = 'What is the reason for the following event: "The man falls"?'
    assert problem(old, "Why does the man fall?", "Because he slips on the ice", "en") == ""
    assert problem(old, "Why does the man fall on the ice?", "Because he slips on the ice", "en") != ""


def test_causes_are_written_beside_other_questions_of_the_same_event():
    pairs = write_pairs(
        rows(*CAUSED, *[(s + 50, e + 50, t) for s, e, t in EIGHT]), 200.0, timeline(pairs_per_event=6.0).config, "v"
    )
    forms = Counter(p["form"] for p in pairs)
    assert forms["cause"] >= 4
    assert forms["when"]
    assert {p["task"] for p in pairs if p["form"] == "cause"} == {"event_relationship"}
    assert all(p["option_times"] is None for p in pairs if p["form"] == "cause")
