"""Rolling captions and cut sentences."""

from stages.annotations.cues import join_sentences, merge_rolling
from stages.annotations.subtitles import Cue


def told(cues):
    return [(c.start_s, c.end_s, c.text) for c in cues]


def joined(*cues):
    return told(join_sentences([Cue(s, e, (t,)) for s, e, t in cues], gap_s=1.0, max_chars=100))


def test_lines_that_roll_up_are_kept_once():
    rolling = [
        Cue(0.0, 2.0, ("so today we",)),
        Cue(2.0, 2.01, ("so today we",)),
        Cue(2.01, 4.0, ("so today we", "look at cats")),
        Cue(4.0, 6.0, ("look at cats", "and dogs")),
    ]
    assert told(merge_rolling(rolling)) == [
        (0.0, 2.01, "so today we"),
        (2.01, 4.0, "look at cats"),
        (4.0, 6.0, "and dogs"),
    ]


def test_a_caption_typed_word_by_word_is_one():
    typed = [Cue(0.0, 1.0, ("look",)), Cue(1.0, 2.0, ("look at",)), Cue(2.0, 3.0, ("look at this",))]
    assert told(merge_rolling(typed)) == [(0.0, 3.0, "look at this")]


def test_a_line_typed_word_by_word_below_another_is_one():
    typed = [
        Cue(0.0, 1.0, ("hello there",)),
        Cue(1.0, 2.0, ("hello there", "my")),
        Cue(2.0, 3.0, ("hello there", "my name")),
        Cue(3.0, 4.0, ("my name", "is Ann")),
        Cue(4.0, 5.0, ("my name is", "Ann Lee")),
    ]
    assert told(merge_rolling(typed)) == [(0.0, 1.0, "hello there"), (1.0, 3.0, "my name"), (3.0, 5.0, "is Ann Lee")]


def test_what_is_said_again_after_a_pause_stays():
    again = [Cue(0.0, 1.0, ("No!",)), Cue(2.0, 3.0, ("No!",))]
    assert len(merge_rolling(again)) == 2


def test_a_sentence_over_two_cues_is_put_together():
    assert joined((0, 1, "Hello! I was just..."), (1.2, 2, "...admiring the art!")) == [
        (0, 2, "Hello! I was just admiring the art!")
    ]
    assert joined((0, 1, "we went to the"), (1, 2, "Rhine")) == [(0, 2, "we went to the Rhine")]
    assert joined((0, 1, "we went,"), (1, 2, "all of us")) == [(0, 2, "we went, all of us")]


def test_sentences_that_end_or_lie_apart_or_grow_too_long_stay_apart():
    assert len(joined((0, 1, "I go."), (1, 2, "you stay"))) == 2
    assert len(joined((0, 1, "Boris..."), (1, 2, "Agent 327!"))) == 2
    assert len(joined((0, 1, "This is 327, I'm going in"), (1, 2, "Good luck, Agent"))) == 2
    assert len(joined((0, 1, "we went to the"), (3, 4, "river"))) == 2
    assert len(joined((0, 1, "a" * 60), (1, 2, "b" * 60))) == 2


def test_unpunctuated_captions_are_cut_at_a_pause():
    lines = [
        "so first you take the flour",
        "and you put it in a bowl",
        "then we need some water",
        "about half a cup of it, cold",
    ]
    starts = [0.0, 2.0, 4.6, 6.6]
    assert joined(*[(s, s + 2, line) for s, line in zip(starts, lines, strict=True)]) == [
        (0.0, 4.0, "so first you take the flour and you put it in a bowl"),
        (4.6, 8.6, "then we need some water about half a cup of it, cold"),
    ]


def test_lines_that_are_shown_side_by_side_are_not_joined():
    assert len(joined((0, 5, "In all our dreams"), (0, 5, "boku no me ni"))) == 2
    assert len(joined((0, 5, "In all our dreams"), (0.2, 6, "boku no me ni"))) == 2
    assert len(joined((0, 5, "sora datte"), (0, 5.2, "In all our dreams"), (5.2, 9, "boku no me ni"))) == 3
    assert joined((0, 4, "rolling lines overlap"), (2, 6, "as they are shown")) == [
        (0, 6, "rolling lines overlap as they are shown")
    ]
