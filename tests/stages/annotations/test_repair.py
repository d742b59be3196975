"""Events of one video put right, and what was done counted."""

import pytest

from stages.annotations.event_lines import parse_event
from stages.annotations.formats.entry import Row
from stages.annotations.repair import are_milliseconds, repair


def events(rows, **options):
    """Times, texts and counts."""
    made, counts = repair(rows, **options)
    for event in made:
        parse_event(event)  # what is written can be read back
    return [(e["start_s"], e["end_s"], e["text"]) for e in made], dict(counts)


def said(start, end, text):
    return Row(start, end, text, "speech")


def test_spans_outside_the_video_are_cut_or_left_out():
    rows = [Row(-5, -1, "a"), Row(-5, 5, "b"), Row(8, 12, "c"), Row(10, 12, "d"), Row(2, 1, "e"), Row(3, 4, "f")]
    wanted = [(0.0, 5, "b"), (1, 2, "e"), (3, 4, "f"), (8, 10.0, "c")]
    counts = {"outside_video": 2, "cut_to_video": 2, "reversed": 1, "overlapping": 2}
    assert events(rows, duration_s=10.0) == (wanted, counts)


def test_duplicates_and_events_without_words_or_times():
    rows = [Row(1, 2, "a"), Row(1, 2, "a"), Row(1, 2, "a", "caption"), Row(3, 4, ""), Row(None, None, "b")]
    assert events(rows) == (
        [(1, 2, "a"), (1, 2, "a")],
        {"duplicate": 1, "no_text": 1, "no_time": 1, "overlapping": 1},
    )


def test_points_stay_points():
    made, counts = repair([Row(1, 1, "a", is_point=True), Row(2, 2, "b"), Row(3, 4, "c")])
    assert [e.get("is_point", False) for e in made] == [True, True, False] and counts["points"] == 2


def test_a_row_without_an_end_lasts_to_the_end_of_the_video():
    assert events([Row(0.0, None, "a", "caption")]) == ([(0.0, "end", "a")], {})


def test_milliseconds():
    rows = [Row(500.0, 1500.0, "a"), Row(20_000.0, 30_000.0, "b")]
    wanted = [(0.5, 1.5, "a"), (20.0, 30.0, "b")]
    assert events(rows, duration_s=60.0) == (wanted, {"milliseconds": 2})
    assert events([*rows, Row(90_000.0, 100_000.0, "c")])[1] == {"milliseconds": 3}


def test_times_of_subtitles_are_never_milliseconds():
    rows = [Row(43_200.0, 43_205.0, "12h", has_unit=True), Row(90_000.0, 90_005.0, "25h", has_unit=True)]
    assert events(rows) == ([(43_200.0, 43_205.0, "12h"), (90_000.0, 90_005.0, "25h")], {})


@pytest.mark.parametrize(
    ("spans", "duration_s", "wanted"),
    [
        ([(0, 1000), (5000, 9000)], 10.0, True),
        ([(0, 1000), (5000, None)], 10.0, True),
        ([(4000, 5000), (5000, 6000)], 3600.0, False),  # of a longer cut
        ([(60 * n, 60 * n + 55) for n in range(60)], 22.0, False),  # of an hour, of which 22 s are there
        ([(500, 600)], 9.6, False),
        ([(300 * n, 300 * n + 250) for n in range(30)], 9.6, True),  # of words
        ([(0, 5), (9, 12)], 10.0, False),
        ([(0, 90_000)], None, True),
        ([(0.5, 90_000)], None, False),
        ([(0, 80_000)], None, False),
        ([(-1, 90_000)], None, False),
        ([], 10.0, False),
    ],
)
def test_when_times_are_milliseconds(spans, duration_s, wanted):
    assert are_milliseconds(spans, duration_s) == wanted


def test_rolling_lines_are_shown_once():
    rows = [
        said(0.4, 3.9, "check pick tonight"),
        said(2.0, 6.0, "check pick tonight bowl night"),
        said(3.9, 8.0, "bowl night honest cause"),
        said(5.0, 9.0, "bowl night honest cause"),
        said(20.0, 21.0, "honest cause"),
    ]
    wanted = [
        (0.4, 2.0, "check pick tonight"),
        (2.0, 3.9, "bowl night"),
        (3.9, 9.0, "honest cause"),
        (20.0, 21.0, "honest cause"),
    ]
    counts = {"rolling_words": 2, "cut_to_next": 2, "repeated_line": 1}
    assert events(rows) == (wanted, counts)


def test_times_texts_and_scenes_come_from_other_files():
    rows = [
        Row(None, None, "鍋に水", ref="0"),
        Row(1, 2, "water in the pot", ref="0"),
        Row(3, 4, "", ref="scene"),
        Row(0.5, 0.75, "hello", "speech", within="scene"),
        Row(0.5, 0.75, "lost", "speech", within="no scene"),
        Row(5, 6, "", label="step 1"),
        Row(5, 6, "", label="step 2"),
        Row(None, None, "nowhere", ref="9"),
    ]
    wanted = [(1, 2, "water in the pot"), (1, 2, "鍋に水"), (3.5, 3.75, "hello"), (5, 6, "stir")]
    assert events(rows, labels={"step 1": "stir"}) == (wanted, {"no_time": 2, "no_text": 1, "overlapping": 1})
