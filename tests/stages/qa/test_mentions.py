"""Things that come back."""

from stages.qa.mentions import mentions, noun_mentions
from tests.stages.qa.worlds import EIGHT, video

MANY = [(200 + s, 200 + e, text) for s, e, text in EIGHT[:7]] + [
    (300 + s, 300 + e, text + " again") for s, e, text in EIGHT
]


def names(*events):
    return [
        (name, plural, [m.start_s for m in found])
        for name, plural, found in noun_mentions(video(*events, *MANY, duration=500))
    ]


def test_noun_phrases_of_a_text():
    [moment] = video((0, 1, "the squirrel climbs a trunk beside the purple bird")).moments
    assert [(m.noun, m.adjectives) for m in mentions(moment)] == [
        ("squirrel", ()),
        ("trunk", ()),
        ("bird", ("purple",)),
    ]


def test_what_is_called_the_same_each_time():
    found = names((0, 5, "a purple bird sings"), (100, 105, "a cat sees the purple bird"))
    assert found == [("a purple bird", False, [0.0, 100.0])]
    assert names((0, 5, "red kites fall down"), (99, 105, "a man paints red kites")) == [
        ("red kites", True, [0.0, 99.0])
    ]


def test_what_goes_by_different_names_or_is_scenery_is_left_out():
    assert names((0, 5, "a purple bird sings"), (100, 105, "the bird eats")) == []
    assert names((0, 5, "a cat eats a red apple"), (100, 105, "a cat sees an apple")) == []
    assert names((0, 5, "a cat sits under a green tree"), (100, 105, "a cat climbs a green tree")) == []
    assert names((0, 5, "a man waves his red hand"), (100, 105, "a boy lifts a red hand")) == []
