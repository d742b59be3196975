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


def test_times_of_another_occurrence_are_another_question():
    asked = 'When does the following happen for the {} time: "a bell rings"?'
    pairs = [when("From 3 s to 5 s", asked.format("first")), when("From 40 s to 44 s", asked.format("second"))]
    assert disagreements(pairs) == {}
