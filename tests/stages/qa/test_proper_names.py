"""Capitals of names in captions."""

import pytest

from stages.qa.clean import sentences
from stages.qa.proper_names import with_capitals


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a man on fox news on monday", "a man on Fox News on Monday"),
        ("add italian seasoning and worcestershire sauce", "add Italian seasoning and Worcestershire sauce"),
        ("a tv screen in new york", "a TV screen in New York"),
        ("the polish on the china may march to turkey", "the polish on the china may march to turkey"),
        ("visit www.japan.com or write to @italy", "visit www.japan.com or write to @italy"),
        ("Frenchmen", "Frenchmen"),
    ],
)
def test_names_in_lower_case_get_their_capitals(text, right):
    assert with_capitals(text) == right


def test_captions_are_quoted_with_capitals():
    assert sentences("two japanese drummers play") == ("Two Japanese drummers play",)
    assert sentences("un homme en paris", is_english=False) == ("Un homme en paris",)
