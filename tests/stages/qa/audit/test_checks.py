"""Each problem of single pairs is found, and a good pair has none."""

import numpy as np
import pytest

from stages.qa.audit.checks import MOST_CHARS, PROBLEMS, problems
from tests.stages.qa.audit.rows import row

FRAMES = np.arange(0, 60, 2.0)
BAD = {
    "answer_in_question": row(
        question='What does the man who plays the red guitar play: "x"?', answer="the red guitar"
    ),
    "time_in_question": row(
        form="when", question='When does this happen: "At 12 s the dog barks"?', answer="12 s to 15 s"
    ),
    "options_alike": row(options=["a dog runs", "A dog runs.", "a cat sits"], answer="a cat sits", answer_index=2),
    "too_long": row(question="x" * (MOST_CHARS + 1)),
    "outside_video": row(evidence=[{"start_s": 50.0, "end_s": 70.0}]),
    "no_frame": row(evidence=[{"start_s": 0.0, "end_s": 4.0}, {"start_s": 10.5, "end_s": 11.5}]),
    "other_language": row(question="Was geschieht: 狗在院子里跑来跑去，然后睡着了?", language="en"),
    "personal_data": row(question='What is said after "write to jane.doe+x@mail.example.org"?'),
    "toxic": row(question="What does the bastard do?"),
}


SPANISH = "\u00bfQu\u00e9 mira el hombre cuando la mujer abre la puerta de la casa?"


def found(pair) -> list[str]:
    return problems(pair, 60.0, FRAMES)


def test_a_good_pair_has_no_problem():
    assert found(row()) == []


@pytest.mark.parametrize(
    ("answer", "is_personal"),
    [
        ("2019-12-24", False),
        ("on 24-12-2019", False),
        ("It ran 1990-1995-2000", False),
        ("The score is 21-15 21-18", False),
        ("10 000 000 people", False),
        ("+49 30 1234 5678", True),
        ("call 555-123-4567", True),
        ("01 23 45 67 89", True),
        ("(030) 123 4567", True),
    ],
)
def test_numbers_in_groups_and_telephone_numbers(answer, is_personal):
    assert ("personal_data" in found(row(answer=answer))) == is_personal


def test_a_text_in_another_language_of_the_same_script_is_found():
    event = "el perro corre por el jard\u00edn y luego se duerme al lado de la puerta"
    options = [event, "a cat climbs the roof", "two boys wash a car"]
    for pair in (
        row(form="conversation", realizer=None, question=SPANISH),
        row(form="conversation", realizer=None, question="\u00bfQu\u00e9 mira?", answer=event, options=[]),
        row(form="neighbour", realizer="llm", question=SPANISH),
        row(options=options, answer=options[0]),
    ):
        assert found(pair) == ["other_language"], pair
    spanish = row(language="es", question=SPANISH, options=[], answer=event, realizer="llm")
    assert found(spanish) == []
    assert found({**spanish, "language": ""}) == []


@pytest.mark.parametrize(
    "text",
    [
        "man sings",
        "Sushi rolls",
        "pan fry garlic onion chicken tofu noodles soy sauce",
        "Lionel Messi, Andr\u00e9s Iniesta, Xavi Hern\u00e1ndez, Carles Puyol, Gerard Piqu\u00e9",
        "pour olive oil onto penne rigate, tortellini, gnocchi",
        "caf\u00e9 au lait",
    ],
)
def test_short_captions_and_names_are_in_any_language(text):
    assert "other_language" not in found(row(options=[text, "a cat climbs the roof"], answer=text))
    assert "other_language" not in found(row(question=f'What happens next after the following event: "{text}"?'))


@pytest.mark.parametrize("code", BAD)
def test_each_problem_is_found(code):
    assert found(BAD[code]) == [code]
    assert code in PROBLEMS


@pytest.mark.parametrize(
    "question",
    [
        'When does this happen: "the clock shows 1:23"?',
        'When does this happen: "from 83 seconds on he sings"?',
        'When does this happen: "the show begins at 82.6 s"?',
    ],
)
def test_times_are_read_in_every_form(question):
    assert found(row(form="when", question=question, answer="From 83 s to 85 s", evidence=[])) == ["time_in_question"]


@pytest.mark.parametrize(
    "text",
    ["call +49 30 1234 5678", "call (030) 123 4567 now", "call 555-123-4567", "call +493012345678", "0301234567."],
)
def test_telephone_numbers(text):
    assert found(row(question=f'What happens after "{text}"?')) == ["personal_data"]


@pytest.mark.parametrize(
    "text",
    [
        "from 10.5 s to 12 s",
        "1, 2, 3, 4",
        "the year 1990 - 2020",
        "01:02:03 to 01:02:05",
        "3.5",
        "12345678",
        "9780306406157",
    ],
)
def test_times_and_counts_are_no_telephone_numbers(text):
    assert found(row(question=f'What happens after "{text}"?')) == []


@pytest.mark.parametrize(
    ("text", "is_toxic"),
    [
        ("add water to the pot", False),
        ("strip the wire and screw the knob on", False),
        ("cut the chicken breasts and the fat", False),
        ("the gay couple kisses", False),
        ("add rum and three some more", False),
        ("he calls her a bitch", True),
        ("the cow girls jack off the car", False),
        ("a man writes F-U-C-K on it", True),
        ("she gives a blow job", True),
        ("a blow to his job", False),
    ],
)
def test_words_of_kitchens_and_workshops_are_not_toxic(text, is_toxic):
    assert found(row(question=f'What happens after "{text}"?')) == (["toxic"] if is_toxic else [])


CONVERSATION = {"form": "conversation", "options": [], "answer_index": None, "evidence": [], "language": ""}


@pytest.mark.parametrize(
    ("question", "answer", "problems"),
    [
        ("What is it?\n(A) A dog\n(B) A cat", "(B) A cat", []),
        ("What is the cat with a hat doing?\n(A) cat with a hat", "The cat with a hat", ["answer_in_question"]),
        ("When does the dog bark, which begins at 12 s?", "From 12 s to 15 s", ["time_in_question"]),
        ("What happens at 12 s?", "At 12 s the dog barks", []),
    ],
)
def test_conversations_may_hold_their_options_and_not_their_answer(question, answer, problems):
    assert found(row(**CONVERSATION, question=question, answer=answer)) == problems


def test_the_time_of_a_line_may_not_be_in_the_line():
    said = row(form="said_when", question='When is this said: "at 12 seconds we stop"?', answer="From 12 s to 15 s")
    assert found({**said, "options": [], "evidence": []}) == ["time_in_question"]


def test_unanswerable_questions_need_no_frame():
    assert found({**BAD["no_frame"], "flags": ["none_of_these"]}) == []


def test_options_that_are_times_or_orders_are_alike_only_where_equal():
    assert found(row(form="when", options=["1 s to 5 s", "1 s to 9 s"], answer="1 s to 5 s", answer_index=0)) == []
    assert found(row(form="order", options=["(1), (2)", "(2), (1)"], answer="(2), (1)", answer_index=1)) == []


def test_many_signs_take_no_time():
    assert found(row(question="@" * 2000 + "a." * 1000 + "1 " * 500)) == []
