"""From rows of annotation to events: sentences, repeats, languages, and what is left out."""

from stages.qa.config import WritingConfig
from stages.qa.make_events import make_events
from tests.stages.qa.worlds import EIGHT, rows


def made(*events, duration=100.0, **config):
    return make_events(rows(*events), duration, WritingConfig(**config))


def test_touching_repeats_are_one_event_and_others_are_not():
    song = [(10, 20, "a man sings a song"), (20, 30, "A man sings a song."), (31.5, 40, "the man sings a song")]
    events, left_out, _ = made(*song, (60, 70, "a man sings a song"))
    assert [e.span for e in events] == [(10, 40), (60, 70)]
    assert events[0].event_ids == ("e0", "e1", "e2")
    assert events[0].group == events[1].group
    assert left_out["merged"] == 2
    pause = made((0, 128, "a family packs bags"), (132, 142, "a family packs bags"), duration=200)[0]
    assert [e.span for e in pause] == [(0, 142)], "four seconds are no end of what lasts two minutes"
    assert [e.has_pause for e in (*events, *pause)] == [True, False, True]
    part = made((0, 40, "a cook slices onions"), (15, 40, "a cook slices onions"))[0]
    double = made((0, 40, "a cook slices onions"), (1, 40, "a cook slices onions"))[0]
    assert [(e.span, e.has_pause) for e in (*part, *double)] == [((0, 40), True), ((0, 40), False)]
    twice = made((0, 10, "a dog barks"), (14, 24, "a dog barks"))[0]
    assert [e.span for e in twice] == [(0, 10), (14, 24)]


def test_sentences_share_the_span_and_are_marked():
    events, _, _ = made((10, 30, "A man walks in. A woman sits down."))
    assert [(e.span, e.text) for e in events] == [((10, 20), "A man walks in"), ((20, 30), "A woman sits down")]
    assert all(e.is_spread and not e.is_named for e in events)


def test_what_is_left_out_is_counted_by_reason():
    events, left_out, _ = made((5, 9, "[Music]"), (10, 20, "The camera zooms in"), (200, 210, "a dog barks"), *EIGHT)
    assert len(events) == 8
    assert left_out == {"no_event": 2, "outside_video": 1}


def test_spans_end_with_the_video():
    [event], _, _ = made((90, 120, "a dog barks at the moon"))
    assert event.span == (90, 100)


def test_events_of_other_languages_are_left_out_unless_asked_for():
    german = [
        (0, 9, "Der Hund gräbt ein tiefes Loch im Garten"),
        (10, 20, "Ein Junge klettert auf eine Leiter und winkt seiner Mutter"),
        (30, 40, "Die alte Frau liest in der Küche eine Zeitung"),
    ]
    events, left_out, language = made(*german)
    assert (events, left_out["other_language"], language) == ([], 3, "de")
    assert len(made(*german, languages=("en", "de"))[0]) == 3
    assert len(made(*german, languages=())[0]) == 3
    assert made(*EIGHT)[2] == "en"


def test_small_words_that_french_has_too_do_not_make_it_english():
    said = [(5, 9, "Stéphane ? Où on se gare ?", "speech"), (10, 14, "Il y a un chêne, on a le temps.", "speech")]
    assert made(*said)[2] == "fr"
    assert made((0, 9, "Vous avez un plan B ? On a un plan.", "speech"), *said)[0] == []
    assert made((0, 9, "A man in a café reads the paper and waves to the waiter"))[2] == "en"


def test_speech_stays_speech_and_keeps_its_words():
    [event], _, _ = made((0, 5, "Then we add at 5 minutes the salt.", "speech"))
    assert (event.kind, event.text) == ("speech", "Then we add at 5 minutes the salt.")


def test_the_name_of_a_speaker_is_not_said():
    [event], _, _ = made((0, 5, "It is bold , and cold.", "speech"))
    assert event.text == "It is bold, and cold."
    told = ("MAN 2: It is cold.", "DR. O'NEIL: Yes.", "M1: No.", "It is clear: DNA: a molecule.", "Note: it is late.")
    events, _, _ = made(*((10 * i, 10 * i + 5, text, "speech") for i, text in enumerate(told)))
    assert [e.text for e in events] == ["It is cold.", "Yes.", "No.", *told[3:]]


def test_points_stay_points():
    told = [{**rows((10, 10.1, "a man opens a door"))[0], "is_point": True}]
    [event], _, _ = make_events(told, 100.0, WritingConfig())
    assert event.is_point
