"""Common misspellings in captions."""

import pytest

from stages.qa.clean import sentences
from stages.qa.spelling import WORDS, spelled


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Seperate the tomatos and add tumeric", "Separate the tomatoes and add turmeric"),
        ("A man cuts it into small peices infront of a freind", "A man cuts it into small pieces in front of a friend"),
        ("Refridgerated seperately", "Refrigerated separately"),
        ("A bird flys by", "A bird flies by"),
        ("A flysheet dries", "A flysheet dries"),
        ("Whisk the eggs, grate the cheese", "Whisk the eggs, grate the cheese"),
        ("The real camaraderie of friends at the potato stand", "The real camaraderie of friends at the potato stand"),
    ],
)
def test_common_misspellings_are_mended_and_nothing_else(text, right):
    assert spelled(text) == right


def test_no_right_word_is_mended_again():
    assert all(spelled(right.replace("-", " ")) == right.replace("-", " ") for right in WORDS.values())


def test_captions_are_quoted_as_they_are_meant():
    assert sentences("add the potatos") == ("Add the potatoes",)
