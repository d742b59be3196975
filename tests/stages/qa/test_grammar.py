"""Sentences and fragments among captions."""

import pytest

from stages.qa.clean import sentences
from stages.qa.grammar import is_fragment, is_sentence, with_verb

SENTENCES = [
    "A man opens the door",
    "Two girls jump over a rope",
    "The branch breaks, and he starts to fall",
    "Cars are parked on the road",
    "Cut the onion in half",
    "People run onto the stage",
    "She washed her hands",
    "There's a flag in the field",
]
FRAGMENTS = [
    "Cat climbing on tree",
    "City traffic lights",
    "Man sitting on a tree branch, using a laptop",
    "A man in a plaid shirt standing in front of people",
    "Legs of a crowd of people walking along the path",
    "Making bread",
    "Green trees and sun rays on horizon",
    "Mid-air flight over fresh and clean mountain river at sunny summer morning",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_are_known(text):
    assert is_sentence(text)
    assert not is_fragment(text)


@pytest.mark.parametrize("text", FRAGMENTS)
def test_fragments_are_known(text):
    assert is_fragment(text)
    assert not is_sentence(text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("A person talking on the phone", "A person is talking on the phone"),
        ("A tv screen showing a man", "A tv screen is showing a man"),
        ("Another man running past", "Another man is running past"),
        ("A person holding a bag takes off their shoes", "A person holding a bag takes off their shoes"),
        ("A man in a plaid shirt standing there", "A man in a plaid shirt standing there"),
        ("A man in a plaid shirt standing in front of a van", "A man in a plaid shirt is standing in front of a van"),
        ("A group of people in white coats walking by", "A group of people in white coats is walking by"),
        ("A news anchor standing next to a picture", "A news anchor is standing next to a picture"),
        ("A man with a dog running", "A man with a dog running"),
        ("A man in a car driving", "A man in a car driving"),
        ("A video capturing a girl", "A video capturing a girl"),
        ("A bowl containing rice", "A bowl containing rice"),
        ("A washing machine", "A washing machine"),
        ("Two people dancing", "Two people dancing"),
    ],
)
def test_a_fragment_that_lacks_a_verb_is_mended_where_that_is_certain(text, right):
    assert with_verb(text) == right


def test_captions_are_mended_where_they_are_cleaned():
    assert sentences("person talking on the phone") == ("A person is talking on the phone",)
    assert sentences("person appear to fall") == ("A person appears to fall",)
