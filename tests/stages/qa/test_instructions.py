"""Steps that do not say who does them."""

import pytest

from stages.qa.clean import sentences
from stages.qa.instructions import as_instruction


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
    assert sentences(text) == (instruction,)


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
