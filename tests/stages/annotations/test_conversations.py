"""Conversations pass as they are, or are refused."""

import json

import pytest

from stages.annotations.conversations import parse_conversations, question_and_answer
from stages.annotations.text import AnnotationError

ONE = '[ {"from":"human","value":"<image>\\nWhat is it?"},{"from": "gpt", "value": "A cat \\u00e9", "extra": 1}]'


def test_one_conversation_comes_back_to_the_byte():
    assert parse_conversations(ONE) == [ONE]
    assert question_and_answer(ONE) == ("What is it?", "A cat é")


def test_several_come_back_with_the_same_content():
    both = [json.loads(ONE), json.loads(ONE) * 2]
    assert [json.loads(text) for text in parse_conversations(json.dumps(both))] == both
    assert parse_conversations("[]") == []


def test_answers_before_the_first_question_are_left_out():
    def turns(*speakers: str) -> list[dict]:
        return [{"from": speaker, "value": f"{speaker} {n}"} for n, speaker in enumerate(speakers)]

    for speakers, kept in (
        (("gpt", "human", "gpt"), (1, 2)),
        (("gpt", "assistant", "human", "gpt", "human", "gpt"), (2, 3, 4, 5)),
        (("system", "gpt", "user", "assistant"), (0, 2, 3)),
    ):
        told = turns(*speakers)
        for written in (told, [told]):
            [text] = parse_conversations(json.dumps(written))
            assert json.loads(text) == [told[n] for n in kept]
            asked, answered = question_and_answer(text)
            assert asked.split()[0] in ("human", "user") and int(answered.split()[1]) == int(asked.split()[1]) + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "bad JSON"),
        ("{}", "must be a list"),
        ("[1]", "conversation 0"),
        ("[[]]", "conversation 0"),
        ('[{"from": "human"}]', "turn 0"),
        ('[{"from": "cat", "value": "x"}]', "turn 0"),
        ('[{"from": "human", "value": "x"}]', "no turn of `human` is followed by one of `gpt`"),
        ('[{"from": "gpt", "value": "x"}, {"from": "human", "value": "x"}]', "no turn of `human` is followed"),
        ('[{"from": "gpt", "value": "x"}, {"from": "system", "value": "x"}]', "no turn of `human` is followed"),
        ('[{"from": ["human"], "value": "x"}]', "turn 0"),
        ('[{"from": "human", "value": "x", "y": 1e999}, {"from": "gpt", "value": "x"}]', "not finite"),
        ('[{"from": "human", "value": "x", "y": NaN}, {"from": "gpt", "value": "x"}]', "not finite"),
        ('[{"from": "human", "value": "x", "y": "\\ud800"}, {"from": "gpt", "value": "x"}]', "half a surrogate"),
        (f'[{{"from": "human", "value": "x", "y": {"1" * 5000}}}]', "more than 4,300 digits"),
        (f'[{{"from": "human", "value": "x", "y": {"[" * 90}{"]" * 90}}}]', "nested more than 64 deep"),
        ('[\n  {"from": secret}]', "bad JSON at line 2, column 12: Expecting value$"),
        ('[{"from": "human", "value": "\\ud800"}, {"from": "gpt", "value": "x"}]', "half a surrogate"),
        ("[" * 100_000, "bad JSON"),
    ],
)
def test_another_form_is_refused(text, message):
    with pytest.raises(AnnotationError, match=message) as caught:
        parse_conversations(text)
    assert "secret" not in str(caught.value) and len(str(caught.value)) < 200
