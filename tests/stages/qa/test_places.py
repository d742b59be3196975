"""Where an event happens."""

import pytest

from stages.qa.places import PLACES, split_setting


def test_a_text_that_ends_in_a_place():
    assert split_setting("the rabbit pulls a vine in the dark forest.") == (
        "the rabbit pulls a vine",
        "in the dark forest",
        PLACES["forest"],
    )


@pytest.mark.parametrize(
    "text", ["the rabbit pulls a vine", "in the forest", "a man looks in the mirror", "a forest burns"]
)
def test_a_text_that_does_not(text):
    assert split_setting(text) is None


def test_places_that_may_be_the_same_are_of_one_kind():
    assert PLACES["meadow"] == PLACES["grass"] != PLACES["forest"]
