"""Steps that do not say who does them."""

import pytest

from stages.qa.clean import sentences
from stages.qa.instructions import as_instruction
from tests.stages.qa.worlds import EIGHT, timeline


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        ("Adds water to soup", "Add water to soup"),
        ("Washes the rice and pours it into the pot", "Wash the rice and pour it into the pot"),
        ("Dices onions, fries them and stirs", "Dice onions, fry them and stir"),
        ("Goes to a shopping site and orders a hammock", "Go to a shopping site and order a hammock"),
    ],
)
def test_they_become_instructions(text, instruction):
    assert as_instruction(text) == instruction


@pytest.mark.parametrize(
    "text",
    [
        "Add water to soup",
        "Guests are dancing",
        "Places of interest are shown",
        "Drinks and snacks stand on the table",
        "Cuts are made in the dough",
        "Clips of the shop",
        "A man adds water",
        "Kids exercise in front of cars",
    ],
)
def test_other_sentences_stay(text):
    assert as_instruction(text) == text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("remove Rice from Microwave oven", "Remove rice from microwave oven"),
        ("Add Seasoning", "Add seasoning"),
        ("Eat Rice Krispies at Big Pan", "Eat Rice Krispies at Big Pan"),
        ("A man visits Grill", "A man visits Grill"),
    ],
)
def test_common_nouns_have_no_capitals(text, right):
    assert sentences(text) == (right,)


def test_they_are_told_as_the_other_captions_of_their_video_are():
    steps = [(0, 6, "adds water"), (10, 16, "stir the soup"), (20, 26, "peels onions")]
    assert [(e.text, e.fault) for e in timeline(*steps).events] == [
        ("Add water", ""),
        ("Stir the soup", ""),
        ("Peel onions", ""),
    ]


@pytest.mark.parametrize("text", ["Opens the box", "Get out a knife", "Use a knife to cut it", "Making bread"])
def test_what_is_told_in_another_way_than_most_of_a_video_is_left_untold(text):
    among_sentences = timeline(*EIGHT[:3], (30, 36, text)).events[-1]
    assert (among_sentences.text, among_sentences.fault) == (text, "keywords")


@pytest.mark.parametrize("text", ["Rain falls on the roof", "Using a knife, the man cuts a plum", "Team members cheer"])
def test_what_has_a_subject_is_told_among_sentences(text):
    assert timeline(*EIGHT[:3], (30, 36, text)).events[-1].fault == ""
