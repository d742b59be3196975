"""Events that follow one another, and those that sum up others."""

from stages.qa.steps import outlines_of, precedes, steps_of
from tests.stages.qa.worlds import EIGHT, timeline


def texts(*events):
    visual = timeline(*events).visual
    return [e.text for e in steps_of(visual, outlines_of(visual))]


def test_an_event_that_another_overlaps_by_more_than_slack_is_no_step():
    assert texts((0, 10, "a man sings"), (9.5, 20, "a dog barks"), (20, 30, "a bird flies")) == [
        "A man sings",
        "A dog barks",
        "A bird flies",
    ]
    assert texts((0, 20, "a man sings"), (10, 30, "a dog barks"), (40, 50, "a bird flies")) == ["A bird flies"]


def test_what_holds_two_events_in_a_row_sums_them_up():
    line = timeline((0, 80, "a yard at work"), *EIGHT)
    assert [e.text for e in outlines_of(line.visual)] == ["A yard at work"]
    assert not outlines_of(timeline((0, 10, "a man sings"), (2, 8, "a dog barks")).visual)


def test_slack_grows_with_the_shorter_event():
    first, second, third = timeline((0, 40, "a man sings"), (35, 60, "a dog barks"), (58, 62, "a bird flies")).visual
    assert precedes(first, second)
    assert not precedes(second, third)
    assert not precedes(second, first)
