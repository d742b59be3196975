"""Conversations pass as they are, or are refused."""

import json

import pytest

from stages.annotations.conversations import ConversationError, parse_conversations, question_and_answer

ONE = '[ {"from":"human","value":"<image>\\nWhat is it?"},{"from": "gpt", "value": "A cat \\u00e9", "extra": 1}]'


def test_one_conversation_comes_back_to_the_byte():
    assert parse_conversations(ONE) == [ONE]
    assert question_and_answer(ONE) == ("What is it?", "A cat é")


def test_several_come_back_with_the_same_content():
    both = [json.loads(ONE), json.loads(ONE)[::-1]]
    assert [json.loads(text) for text in parse_conversations(json.dumps(both))] == both
    assert parse_conversations("[]") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "bad JSON"),
        ("{}", "must be a list"),
        ("[1]", "conversation 0"),
        ("[[]]", "conversation 0"),
        ('[{"from": "human"}]', "turn 0"),
        ('[{"from": "cat", "value": "x"}]', "turn 0"),
        ('[{"from": "human", "value": "x"}]', "none of `gpt`"),
        ('[{"from": "human", "value": "\\ud800"}, {"from": "gpt", "value": "x"}]', "half a surrogate"),
        ("[" * 100_000, "bad JSON"),
    ],
)
def test_another_form_is_refused(text, message):
    with pytest.raises(ConversationError, match=message):
        parse_conversations(text)
