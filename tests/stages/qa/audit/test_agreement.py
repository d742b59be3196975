"""Pairs of one video that say the same twice, or against each other."""

import pytest

from stages.qa.audit.agreement import disagreements
from tests.stages.qa.audit.rows import row

BOTH = {0: "contradiction", 1: "contradiction"}
WHEN = {"form": "when", "question": 'When does this happen: "a dog barks"?', "options": []}


def when(answer: str, question: str = WHEN["question"]) -> dict:
    return row(**{**WHEN, "question": question}, answer=answer)


def order(answer: str, *texts: str) -> dict:
    listed = "; ".join(f'({n}) "{text}"' for n, text in enumerate(texts, 1))
    options = ["(1), (2)", "(2), (1)"]
    return row(
        form="order", question=f"In which order do these events happen? {listed}", answer=answer, options=options
    )


def first(answer: str, *others: str, side: str = "first") -> dict:
    question = f"Which of these events happens {side}?"
    return row(form="first_or_last", question=question, answer=answer, options=[answer, *others])


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([when("From 3 s to 5 s"), when("From 40 s to 44 s")], BOTH),
        ([when("From 3 s to 5 s"), when("From 3 s to 6 s", 'At what time is this: "A dog barks"?')], {1: "duplicate"}),
        ([when("At about 3 s"), when("From 2 s to 5 s")], {1: "duplicate"}),
        ([when("From 3 s to 5 s"), when("From 40 s to 44 s", 'When does this happen: "a cat sits"?')], {}),
        ([order("(1), (2)", "x falls", "y runs"), order("(1), (2)", "y runs", "x falls")], BOTH),
        ([order("(1), (2)", "x falls", "y runs"), order("(2), (1)", "y runs", "x falls")], {}),
        ([order("(1), (2)", "x falls", "y runs"), first("y runs", "x falls")], BOTH),
        ([order("(1), (2)", "x falls", "y runs"), first("y runs", "x falls", side="last")], {}),
        ([row(), row()], {1: "duplicate"}),
        ([row(), row(answer="two boys wash a car")], BOTH),
        ([row(), row(question='What happens next after: "a girl sings"?', answer="two boys wash a car")], {}),
        ([row(), row(answer="two boys wash a car", flags=["none_of_these"])], {}),
        ([row(form="count", answer="2", options=[]), row(form="count", answer="3", options=[])], BOTH),
        ([row(form="brief", answer="A.", options=[]), row(form="brief", answer="B.", options=[])], {}),
    ],
)  # fmt: skip
def test_disagreements(pairs, expected):
    assert disagreements(pairs) == expected


@pytest.mark.parametrize("count", [3, 450])
def test_however_many_ask_the_same_all_are_compared(count):
    """A duplicate, a text in other words and a contradiction at the end of many pairs that ask the same."""
    many = [row(options=[f"a cat{n}", f"a dog{n}"], answer=f"a cat{n}") for n in range(count)]
    assert disagreements(many) == {}
    last = many[-1]
    other_words = row(options=last["options"], answer=f"The cat{count - 1}")
    contrary = row(options=["a fish", *last["options"]], answer=f"a dog{count - 1}")
    assert disagreements([*many, last, other_words]) == {count: "duplicate", count + 1: "duplicate"}
    assert disagreements([*many, contrary]) == {count - 1: "contradiction", count: "contradiction"}
    times = [when(f"From {10 * n} s to {10 * n + 5} s") for n in range(count)]
    assert disagreements(times) == dict.fromkeys(range(count), "contradiction")


def test_all_that_have_a_reversed_order_are_contradictions():
    ahead, reverse = order("(1), (2)", "x falls", "y runs"), order("(1), (2)", "y runs", "x falls")
    repeated = {**ahead, "question": ahead["question"].replace("In which", "Tell in which")}
    found = disagreements([ahead, repeated, first("x falls", "y runs"), reverse])
    assert found == dict.fromkeys(range(4), "contradiction")
    scenes = [row(form="first_or_last_scene", question=q, answer="a", options=["a", "b"]) for q in ("first?", "last?")]
    assert disagreements(scenes) == {0: "contradiction", 1: "contradiction"}


def test_times_of_another_occurrence_are_another_question():
    asked = 'When does the following happen for the {} time: "a bell rings"?'
    pairs = [when("From 3 s to 5 s", asked.format("first")), when("From 40 s to 44 s", asked.format("second"))]
    assert disagreements(pairs) == {}
