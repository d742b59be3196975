"""Counts, against counting by hand."""

import re

import pytest

from stages.qa import event_counting as counting
from tests.stages.qa.worlds import EIGHT, video

BLINKS = [(s, s + 2, "the lamp blinks") for s in (3, 26, 47, 68)]


def test_times_are_counted_where_the_words_repeat():
    [draft] = counting.times(video(*EIGHT, *BLINKS))
    assert (draft.question, draft.answer) == ("How many times does the lamp blink?", "4")
    assert draft.evidence == tuple((float(s), float(e)) for s, e, _ in BLINKS)


def test_times_before_or_after_something():
    drafts = [d for seed in range(12) for d in counting.times_before_or_after(video(*EIGHT, *BLINKS, seed=seed))]
    assert {d.answer for d in drafts} == {"1", "2", "3"}
    for draft in drafts:
        anchor = next((s, e) for s, e, text in EIGHT if text in draft.question)
        before = " before " in draft.question
        counted = [s for s, e, _ in BLINKS if (e <= anchor[0] if before else s >= anchor[1])]
        assert draft.answer == str(len(counted))
        assert len(draft.evidence) == len(counted)


def test_nothing_that_overlaps_the_anchor_is_near_a_count():
    seen = video(
        (0, 2, "the lamp blinks"),
        (9, 12, "the lamp blinks"),
        (10, 20, "a horse runs on the beach"),
        (50, 52, "the lamp blinks"),
    )
    for draft in counting.times_before_or_after(seen):
        assert " after " in draft.question and draft.answer == "1"


@pytest.mark.parametrize("kind", ["event", "speech"])
def test_how_many_of_the_listed(kind):
    world = [(s, e, text, kind) for s, e, text in EIGHT]
    starts = {text[:1].upper() + text[1:]: s for s, _, text in EIGHT} | {f'"{text}"': s for s, _, text in EIGHT}
    answers = set()
    for seed in range(10):
        for draft in counting.of_listed(video(*world, seed=seed)):
            head, _, listed = draft.question.rstrip("?").partition(": (a) ")
            times = [starts[text] for text in re.split(r"; \([b-d]\) ", listed)]
            anchor = next(s for s, _, text in EIGHT if text in head)
            right = sum(t < anchor for t in times) if " before " in head else sum(t > anchor for t in times)
            assert draft.answer == str(right)
            assert sorted([*draft.wrong, draft.answer]) == ["0", "1", "2", "3", "4"]
            answers.add(draft.answer)
    assert answers == {"0", "1", "2", "3", "4"}


def test_once_is_asked_only_where_counting_is_real():
    assert list(counting.once(video(*EIGHT))) == []
    [draft] = counting.once(video(*BLINKS, (80, 82, "a green light blinks"), (90, 92, "a blue light blinks")))
    assert draft.answer == "1"


def test_appearances_far_apart_are_flagged():
    events = [(t + s, t + e, f"{text} {again}") for t, again in ((100, ""), (200, "again")) for s, e, text in EIGHT]
    events += [(400 + s, 400 + e, f"{text} once more") for s, e, text in EIGHT]
    birds = [
        (0, 5, "a purple bird sings"),
        (10, 15, "a cat sees the purple bird"),
        (300, 305, "the purple bird eats a worm"),
    ]
    [draft] = [d for d in counting.appearances(video(*events, *birds, duration=500)) if "bird" in d.question]
    assert draft.question == "In how many separate parts of the video does a purple bird appear?"
    assert (draft.answer, draft.flags) == ("2", ("annotation_dependent",))
    assert draft.evidence == ((0.0, 15.0), (300.0, 305.0))
    assert list(counting.appearances(video(*events, *birds, duration=500, count_mentions=False))) == []


def test_words_are_counted_as_often_as_they_are_said():
    talk = [
        (0, 2, "Haircut? A haircut!", "speech"),
        (5, 7, "I said haircut.", "speech"),
        (9, 12, "about 327, about 327", "speech"),
    ]
    found = {d.question: (d.answer, d.evidence) for d in counting.words_said(video(*talk))}
    assert found == {
        'How many times is the word "haircut" said?': ("3", ((0.0, 2.0), (5.0, 7.0))),
        'How many times is the word "327" said?': ("2", ((9.0, 12.0),)),
    }


def test_the_right_number_stands_anywhere_among_the_options():
    ranks = set()
    for seed in range(40):
        [draft] = counting.times(video(*BLINKS, seed=seed))
        options = sorted([int(draft.answer), *map(int, draft.wrong)])
        assert options == list(range(options[0], options[0] + 4)) and options[0] >= 1
        ranks.add(options.index(4))
    assert ranks == {0, 1, 2, 3}


def test_spans_are_put_together():
    assert counting.separate([(0, 1), (50, 60), (5, 9)], 30) == [(0, 9), (50, 60)]
