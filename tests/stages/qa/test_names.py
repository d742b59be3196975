"""Sentences that are understood alone, and those that are not."""

import pytest

from stages.qa.names import says_who


def test_a_pronoun_alone_names_nobody():
    assert not says_who("He pours the oil")
    assert says_who("The man pours his oil")
    assert not says_who("Continues falling")


@pytest.mark.parametrize(
    ("text", "is_clear"),
    [
        ("A person puts it on the table", False),
        ("A young man is looking at them", False),
        ("A person pouring it into a glass", False),
        ("Stir it", False),
        ("Soak them in water", False),
        ("Add boiled chickpeas to it", False),
        ("A person throws pillow on it", False),
        ("Put a lid on the pot and a stone on it", True),
        ("A person takes a cup and fills it", True),
        ("Add the onions and stir them", True),
        ("A dog licks it", True),  # not known for certain to be a subject
    ],
)
def test_what_is_done_to_it_alone_is_unclear(text, is_clear):
    assert says_who(text) == is_clear
