"""What kind of sentence a text is, and the question that it gives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.qa.grammar import inverted, parse


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("the rabbit smells white flowers", "does the rabbit smell white flowers"),
        ("A red apple falls beside the rabbit.", "does a red apple fall beside the rabbit"),
        ("the rodents throw things at the rabbit", "do the rodents throw things at the rabbit"),
        ("a purple bird sings on a branch and falls off", "does a purple bird sing on a branch and fall off"),
        ("the rabbit holds up the red apple and looks at it", "does the rabbit hold up the red apple and look at it"),
        ("a log wrapped in vines swings down", "does a log wrapped in vines swing down"),
        ("an apple is stuck on wooden stakes", "is an apple stuck on wooden stakes"),
        ("the squirrel's wide eyes are close", "are the squirrel's wide eyes close"),
        ("sharpened wooden stakes stand in a row", "do sharpened wooden stakes stand in a row"),
        ("something small flies far away", "does something small fly far away"),
        ("the blue square enters from the left", "does the blue square enter from the left"),
        ("yellow leaves cover the ground", "do yellow leaves cover the ground"),
        ("a small brook runs between grass and flowers", "does a small brook run between grass and flowers"),
        ("Anna opens the door", "does Anna open the door"),
        ("a card says CANYON", "does a card say CANYON"),
        ("a man in a red shirt waves", "does a man in a red shirt wave"),
        ("the woman and the man walk away", "do the woman and the man walk away"),
        ("A person is cutting onions.", "is a person cutting onions"),
        ("the dog has a ball", "does the dog have a ball"),
    ],
)
def test_clauses_and_their_questions(text, question):
    assert parse(text).form == "clause"
    assert inverted(parse(text)) == question


@pytest.mark.parametrize(
    "text",
    [
        "the rabbit is shocked and holds up its hands",
        "the rabbit wrings its hands and is sad",
        "The branch breaks, and he starts to fall.",
        "the rabbit stands among fruits that lie in the grass and grows angry",
    ],
)
def test_two_clauses_in_one_are_a_clause_that_is_not_turned_around(text):
    assert parse(text).form == "clause"
    assert inverted(parse(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "a beach at dusk",
        "a pink cloudy sky over a meadow",
        "three people at a table",
        "a library full of books",
        "the end",
    ],
)
def test_noun_phrases(text):
    assert parse(text).form == "phrase"


@pytest.mark.parametrize(
    "text",
    [
        "Man sitting on a tree branch, using a laptop.",
        "Opens Chrome.",
        "Delivery man smiles.",
        "He falls into the hammock",
        "Open a new browser. Chrome fast.",
        "the squirrel devours a nut",
        'he says "no"',
        "0:09:59",
        "",
        "x" * 400,
    ],
)
def test_what_is_not_sure_is_quoted(text):
    assert parse(text).form == "quote"


def test_all_events_of_the_real_film_are_understood(videos):
    lines = (videos / "long/bbb_360p_moov_end.events.jsonl").read_text().splitlines()
    forms = [parse(json.loads(line)["text"]).form for line in lines]
    assert forms.count("clause") == 73
    assert forms.count("phrase") == 1


@given(st.text(alphabet="abes tihn.,'", max_size=60))
def test_any_text_has_a_form(text):
    parsed = parse(text)
    question = inverted(parsed)
    assert question is None or parsed.form == "clause"
