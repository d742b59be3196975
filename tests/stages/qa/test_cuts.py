"""Ends of events move to cuts near them, and nothing else does."""

from stages.qa.cuts import at_cuts
from tests.stages.qa.worlds import rows

CUTS = [10.0, 12.0, 30.0]


def moved(*event, reach=1.5, **columns):
    [row] = rows(event)
    [found] = at_cuts([{**row, **columns}], CUTS, reach)
    assert {**row, **columns, "start_s": 0, "end_s": 0} == {**found, "start_s": 0, "end_s": 0}
    return found["start_s"], found["end_s"]


def test_starts_and_ends_move_to_the_nearest_cut_within_reach():
    assert moved(8.6, 28, "a dog barks") == (10, 28)
    assert moved(10.9, 31.5, "a dog barks") == (10, 30)
    assert moved(11.2, 20, "a red yard", "scene") == (12, 20)
    assert moved(0, 8.4, "a dog barks") == (0, 8.4)
    assert moved(8.6, 28, "a dog barks", reach=1.0) == (8.6, 28)


def test_an_event_keeps_half_its_length():
    assert moved(29, 31.2, "a dog barks") == (29, 31.2)
    assert moved(9, 12.5, "a dog barks") == (10, 12)


def test_what_has_times_of_its_own_stays():
    assert moved(9, 13, "Good morning!", "speech") == (9, 13)
    assert moved(9, 13, "a dog barks", "clip") == (9, 13)
    assert moved(9, 13, "The yard", "chapter") == (9, 13)
    assert moved(9, 10.5, "a dog barks", is_point=True) == (9, 10.5)
    talk = {"kind": "conversation", "start_s": None, "end_s": None}
    assert list(at_cuts([talk], CUTS, 1.5)) == [talk]


def test_events_keep_their_order():
    told = rows(*((t / 10, t / 10 + 4, "a dog barks") for t in range(60, 320)))
    starts = [row["start_s"] for row in at_cuts(told, CUTS, 1.5)]
    assert starts == sorted(starts)


def test_no_cuts_move_nothing():
    told = rows((1, 5, "a dog barks"))
    assert list(at_cuts(told, [], 5.0)) == told
