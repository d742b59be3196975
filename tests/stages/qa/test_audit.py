"""What gives an answer away."""

from dataclasses import replace

import pytest

from stages.qa.audit import PROBLEMS, answer_in_question, leak_report, problems
from stages.qa.draft import Draft

GOOD = Draft("When does the dog bark?", "From 3 s to 5 s.", ((3.0, 5.0),), ("e",), asked=("the dog barks",))
CHOICE = Draft("What happens next?", "A cat hides", ((1.0, 2.0),), ("e",), wrong=("A cow moos",))


@pytest.mark.parametrize(
    ("question", "answer", "leaks"),
    [
        ("Does the red car stop after the blue car?", "the red car", True),
        ("What does the man in the red hat do?", "He wears a red hat", False),
        ("Where does the boy with the yellow kite run?", "The boy runs with a yellow kite", True),
        ("How many times do the three rodents laugh?", "3", True),
        ('How many times is the word "327" said?', "3", False),
        ("What happens after the dog barks?", "The cat sleeps", False),
        ("In what order: (a) x, (b) y, (c) z?", "(b), (a), (c)", False),
        ("In what order: (a), (b), (c)?", "(a), (b), (c)", True),
    ],
)
def test_an_answer_in_its_question(question, answer, leaks):
    assert answer_in_question(question, answer) == leaks


@pytest.mark.parametrize(
    ("draft", "found"),
    [
        (GOOD, []),
        (CHOICE, []),
        (replace(GOOD, answer="..."), ["empty"]),
        (replace(CHOICE, answer="The dog is barking", asked=("a dog barks loudly",)), ["answer_copies_event"]),
        (replace(CHOICE, wrong=("a cat hides!",)), ["options_alike"]),
        (replace(GOOD, evidence=((3.0, 11.0),)), ["outside_video"]),
        (replace(GOOD, evidence=((3.0, 3.0),)), ["outside_video"]),
        (replace(GOOD, evidence=()), ["outside_video"]),
        (replace(GOOD, answer="word " * 2000), ["too_long"]),
    ],
)
def test_problems_of_a_draft(draft, found):
    assert problems(draft, 10.0) == found
    assert set(found) <= PROBLEMS.keys()


def test_the_report_over_many_pairs():
    pairs = [
        {"question": "What is red?", "answer": "red", "answer_index": 1},
        {"question": "How many?", "answer": "4", "answer_index": 1},
        {"question": "When?", "answer": "now then", "answer_index": None},
        {"question": "Who?", "answer": "Anna", "answer_index": 0},
    ]
    assert leak_report(pairs) == {"answer_in_question": 0.25, "numeric": 0.25, "top_position": pytest.approx(2 / 3)}
    assert leak_report([])["numeric"] == 0.0
