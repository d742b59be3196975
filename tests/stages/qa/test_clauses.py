"""Captions and spoken lines that run on, or whose verb lacks its ending."""

import pytest

from stages.qa.clauses import is_line_run_on, runs_on


@pytest.mark.parametrize(
    "text",
    [
        "A fire starts on the eye the person blow it out",
        "A ball is thrown to the boy he catches it",
        "Female swimmer jump off into the water at a swim meet",
        "Unexpanded white peony flower bud covered with morning dew water drops move in wind",
        "Pour into the ingredients",
        "Turn on screen",
        "A person sits on the bed to read it",
    ],
)
def test_captions_that_run_on_are_found(text):
    assert runs_on(text)


@pytest.mark.parametrize(
    "text",
    [
        "When he finally rolls it he makes a strike",
        "A man shows the trick the boy does on the beam",
        "A woman gives the dog a bath",
        "The person sees the fire and the man puts it out",
        "The female swimmer jumps off the block",
        "Swimmers jump off the block",
        "Buds covered with dew move in the wind",
        "Pour the milk into the bowl",
        "Turn on the screen",
        "A person sits on the bed to read a book",
    ],
)
def test_right_captions_do_not(text):
    assert not runs_on(text)


@pytest.mark.parametrize(
    ("text", "is_run_on"),
    [
        ("Like any open project it's a work in progress with your help it can be great for all of you", True),
        ("Share what you build with others on developers.example.com/stories", False),
        ("With your help it can be great developers.example.com/stories", True),
        ("When we think ...say bow-wow, we have this vision of him", True),
        ("You had to study for test", True),
        ("If I had to pick, it be that one", True),
        ("So let it be, or it will be that one", False),
        ("You had to memorize list of vocabulary", True),
        ("You had to study for the test and memorize a list of words", False),
        ("Well... say it again, then...", False),
        ("Hi, I'm Vanessa from example.com.", False),
        ("We want to know you better so we created a new place just for that to hear from you", False),
        ("Like any project, it's a work in progress, and with your help it can be great for all of you", False),
    ],
)
def test_lines_of_two_sentences_without_a_mark_are_found(text, is_run_on):
    assert is_line_run_on(text) == is_run_on
