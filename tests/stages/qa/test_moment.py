"""The forms in which a moment is told."""

import pytest

from stages.qa.moment import Moment, overlap, seconds, span_text


def moment(text, kind="event"):
    return Moment("e", 1.0, 2.0, kind, text)


@pytest.mark.parametrize(
    ("text", "kind", "when", "sentence", "subject"),
    [
        ("The dog barks.", "event", "the dog barks", "The dog barks", "dog"),
        ("a beach at dusk", "scene", "we see a beach at dusk", "A beach at dusk", ""),
        ("Opens Chrome.", "caption", 'the video shows "Opens Chrome"', "Opens Chrome", ""),
        ("Sit!", "speech", 'someone says "Sit!"', '"Sit!"', ""),
        ('say "no"', "speech", "someone says \"say 'no'\"", "\"say 'no'\"", ""),
    ],
)
def test_forms(text, kind, when, sentence, subject):
    told = moment(text, kind)
    assert (told.when, told.sentence, told.subject) == (when, sentence, subject)


@pytest.mark.parametrize(("time", "text"), [(83.0, "83 s"), (14.52, "14.5 s"), (0.04, "0 s"), (36000.25, "36000.2 s")])
def test_times(time, text):
    assert seconds(time) == text


def test_spans():
    assert span_text((1.0, 2.5)) == "1 s to 2.5 s"
    assert overlap((0, 2), (1, 3)) and not overlap((0, 1), (1, 2))
