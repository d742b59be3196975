"""Lines of speech that are sentences."""

from stages.qa.lines import ends_open, sentences_of
from tests.stages.qa.worlds import timeline


def said(*texts):
    line = timeline(*((5 * i, 5 * i + 4, text, "speech") for i, text in enumerate(texts)))
    return [e.text for e in sentences_of(line.speech)]


def test_a_line_that_begins_small_or_goes_on_is_no_sentence():
    assert said("We cook the rice.", "Then we add", "a pinch of salt.", "Now it is done.", "Taste it.") == [
        "We cook the rice.",
        "Then we add",
        "Now it is done.",
        "Taste it.",
    ]


def test_capitals_throughout_do_not_tell_where_a_sentence_begins():
    assert said("IF YOU KNOW ANYTHING", "THAT CAN HELP, CALL US. THAT", "NUMBER IS BELOW.") == []


def test_a_line_that_stops_in_the_middle_of_a_sentence_is_known():
    assert ends_open("These are expressions that native speakers don't")
    assert ends_open("This is exactly what is the best way to")
    assert not ends_open("These are expressions that native speakers don't use.")
    assert not ends_open("Such a lovely place you've got here")
