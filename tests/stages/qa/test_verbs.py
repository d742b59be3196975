"""Forms of regular verbs."""

import pytest

from stages.qa.verbs import BASES, GERUND, PAST, THIRD, gerund, past, third_person


@pytest.mark.parametrize(
    ("base", "third", "ing", "ed"),
    [
        ("smell", "smells", "smelling", "smelled"),
        ("carry", "carries", "carrying", "carried"),
        ("play", "plays", "playing", "played"),
        ("watch", "watches", "watching", "watched"),
        ("stop", "stops", "stopping", "stopped"),
        ("open", "opens", "opening", "opened"),
        ("glide", "glides", "gliding", "glided"),
        ("lie", "lies", "lying", "lied"),
        ("fix", "fixes", "fixing", "fixed"),
        ("agree", "agrees", "agreeing", "agreed"),
        ("bow", "bows", "bowing", "bowed"),
    ],
)
def test_forms(base, third, ing, ed):
    assert (third_person(base), gerund(base), past(base)) == (third, ing, ed)


def test_irregular_forms():
    assert [third_person(base) for base in ("be", "have", "do", "go")] == ["is", "has", "does", "goes"]
    assert (PAST["fallen"], PAST["thrown"], PAST["began" if "began" in PAST else "begun"]) == ("fall", "throw", "begin")


def test_no_two_verbs_share_a_form():
    assert len(THIRD) == len(GERUND) == len(BASES)
