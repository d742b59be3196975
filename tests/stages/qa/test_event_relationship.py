"""Before, after, between and in what order, against a plain reading of the events."""

import re

import pytest

from stages.qa import event_relationship as relationship
from tests.stages.qa.worlds import EIGHT, video

TEXTS = [text[:1].upper() + text[1:] for _, _, text in EIGHT]


def named(question: str) -> list[int]:
    """Positions of the events that a question tells of."""
    return [i for i, (_, _, text) in enumerate(EIGHT) if text in question]


@pytest.mark.parametrize(("template", "step"), [(relationship.after, 1), (relationship.before, -1)])
def test_neighbours(template, step):
    drafts = list(template(video(*EIGHT)))
    assert len(drafts) == 7
    for draft in drafts:
        [asked] = named(draft.question)
        assert draft.answer == TEXTS[asked + step]
        wrong = [TEXTS.index(text) for text in draft.wrong]
        # Not even the next but one: it too follows within seconds.
        assert all(abs(w - asked) > 1 and abs(w - (asked + step)) > 1 for w in wrong)


def test_between():
    drafts = list(relationship.between(video(*EIGHT)))
    assert len(drafts) == 6
    for draft in drafts:
        first, last = named(draft.question)
        assert (draft.answer, last - first) == (TEXTS[first + 1], 2)
        assert not set(draft.wrong) & set(TEXTS[first : last + 1])


def test_first_or_last():
    drafts = [d for seed in range(10) for d in relationship.first_or_last(video(*EIGHT, seed=seed))]
    assert {"first" in d.question for d in drafts} == {True, False}
    for draft in drafts:
        right, wrong = TEXTS.index(draft.answer), [TEXTS.index(text) for text in draft.wrong]
        assert all(right < w if "first" in draft.question else right > w for w in wrong)
        assert len(wrong) == 3
        assert all(text in draft.query for text in (draft.answer, *draft.wrong))


def test_order():
    for seed in range(10):
        for draft in relationship.order(video(*EIGHT, seed=seed)):
            listed = dict(re.findall(r"(\([abc]\)) ([^;?]+)", draft.question))
            starts = [TEXTS.index(listed[name]) for name in draft.answer.split(", ")]
            assert starts == sorted(starts)
            assert draft.answer != "(a), (b), (c)"
            assert draft.answer not in draft.wrong and len(set(draft.wrong)) == 3


def test_what_is_told_in_nearly_the_same_words_is_neither_asked_nor_answered():
    seen = video(
        (0, 5, "the dog digs"),
        (8, 12, "the dog digs in the sand"),
        (15, 20, "a cat sleeps on a mat"),
        *[(100 + s, 100 + e, text) for s, e, text in EIGHT[1:]],
        duration=300.0,
    )
    for draft in [*relationship.after(seen), *relationship.between(seen), *relationship.order(seen)]:
        assert "the dog dig" not in draft.question.lower()


def test_a_clock_is_not_asked_what_it_shows_next():
    clock = video(*[(10 * i, 10 * i + 9, f"0:0{9 - i}", "caption") for i in range(9)])
    for name, template in relationship.TEMPLATES.items():
        assert list(template(clock)) == [], name


def test_lines_of_speech_are_asked_for_as_lines():
    talk = [(s, e, text + "!", "speech") for s, e, text in EIGHT]
    drafts = list(relationship.after(video(*talk)))
    assert len(drafts) == 7
    assert all(re.fullmatch(r'Which line comes right after ".+!"\?', d.question) for d in drafts)
    assert {d.flags for d in drafts} == {("from_speech",)}
