"""Which texts may tell of the same thing."""

import pytest

from stages.qa.similarity import content_words, covers, near_duplicates, subject_head


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("a flying squirrel watches the rabbit from a branch", "the squirrel watches the rabbit from a branch", True),
        ("the rabbit stands among fruits", "the rabbit stands among fruits and grows angry", True),
        ("the dog is running", "a dog runs", True),
        ("0:09:59", "0:09:58", False),
        ("the rabbit smells white flowers", "the rabbit pulls a vine in the forest", False),
        ("the red circle leaves to the left", "the blue circle leaves to the left", False),
        ("the red circle leaves to the left", "the circle leaves to the left", True),
        ("No!", "no", True),
        ("a beach", "a forest", False),
    ],
)
def test_near_duplicates(a, b, same):
    assert near_duplicates(a, b) == near_duplicates(b, a) == same


def test_one_who_does_the_same_with_little_else_said_could_be_meant():
    assert covers("the squirrel glides through the air", "the frightened squirrel glides over leaves")
    assert not covers("the rabbit stands before a tree with an angry face", "the rabbit stands alone on the meadow")
    assert covers("the rabbit stands alone on the meadow", "the rodents throw things at the rabbit")
    assert not covers("the rabbit breaks a branch", "the rodents throw things at the rabbit")
    assert covers("the circle blinks", "the red circle blinks")
    assert not covers("the red circle blinks", "the blue circle blinks")


def test_content_words_are_in_their_plain_form():
    assert content_words("The rabbit's friends were smiling at the two foxes") == {
        "rabbit",
        "friend",
        "smile",
        "two",
        "fox",
    }
    assert content_words("it is") == {"it", "is"}


@pytest.mark.parametrize(
    ("subject", "head"),
    [
        ("a flying squirrel", "squirrel"),
        ("a log wrapped in vines", "log"),
        ("the three rodents", "rodent"),
        ("Anna", "anna"),
    ],
)
def test_subject_heads(subject, head):
    assert subject_head(subject) == head
