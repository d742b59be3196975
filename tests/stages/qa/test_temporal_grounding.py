"""When a thing happens: only of what happens once, or by its turn."""

from stages.qa import temporal_grounding as grounding
from stages.qa.moment import overlap, span_text
from tests.stages.qa.worlds import EIGHT, video


def test_open_questions_give_start_and_end():
    drafts = {draft.event_ids: draft for draft in grounding.span(video(*EIGHT))}
    assert len(drafts) == 8
    dog = drafts[("e0",)]
    assert dog.answer == "From 0 s to 6 s."
    assert "does the dog dig a hole?" in dog.question
    assert dog.hint


def test_what_comes_twice_or_is_too_short_or_too_long_is_not_asked():
    seen = video(*EIGHT, (80, 85, "the dog digs a hole"), (90, 90.1, "a bell rings"), (0, 60, "soft music plays"))
    asked = {event for draft in grounding.span(seen) for event in draft.event_ids}
    assert asked == {f"e{i}" for i in range(1, 8)}


def test_wrong_spans_are_other_events_and_touch_nothing_right():
    drafts = list(grounding.choice(video(*EIGHT)))
    assert len(drafts) == 8
    known = {span_text((float(s), float(e))) for s, e, _ in EIGHT}
    for draft in drafts:
        assert set(draft.wrong) <= known - {draft.answer}
        assert len(draft.wrong) == 3


def test_wrong_spans_do_not_overlap_the_right_one():
    seen = video(*EIGHT, (1, 5, "a frog croaks"), (2, 8, "a bell rings twice"))
    spans = {span_text(m.span): m.span for m in seen.moments}
    for draft in grounding.choice(seen):
        assert not any(overlap(spans[draft.answer], spans[wrong]) for wrong in draft.wrong)


def test_the_turn_of_what_comes_again():
    blinks = [(10 * i, 10 * i + 2, "the lamp blinks") for i in range(4)]
    words = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": 3}
    for seed in range(20):
        [draft] = grounding.turn(video(*blinks, seed=seed))
        word = draft.question.removeprefix("When does the lamp blink for the ").removesuffix(" time?")
        assert draft.event_ids == (f"e{words[word]}",)
        assert draft.answer == f"From {10 * words[word]} s to {10 * words[word] + 2} s."


def test_speech_phrases_and_quotations_are_asked_for_in_their_way():
    seen = video((0, 2, "Sit down!", "speech"), (5, 9, "a sunny yard", "scene"), (20, 22, "Opens Chrome.", "caption"))
    questions = " ".join(draft.question for draft in grounding.span(seen))
    assert '"Sit down!"' in questions and "a sunny yard" in questions and '"Opens Chrome"' in questions
    assert [d.flags for d in grounding.span(seen) if d.event_ids == ("e0",)] == [("from_speech",)]
