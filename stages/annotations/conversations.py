"""Conversations in the LLaVA form, checked but not changed."""

import json
from typing import Any

_SPEAKERS = ("human", "gpt", "system", "user", "assistant")


class ConversationError(ValueError):
    """Conversations that are not in the LLaVA form. The message names the place and the value."""


def parse_conversations(text: str) -> list[str]:
    """The conversations of a video, each as JSON text.

    `text` is JSON: one conversation (a list of turns `{"from": "human" | "gpt", "value": "..."}`), or a list of those.
    A conversation that is the whole of `text` comes back as it was written. Raises ConversationError.
    """
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConversationError(f"bad JSON: {error}") from None
    if not isinstance(value, list):
        raise ConversationError(f"{str(value)[:80]!r}: must be a list of turns, or a list of such lists")
    if value and all(isinstance(turn, dict) for turn in value):
        _check(value, "the conversation")
        return [text]
    for index, conversation in enumerate(value):
        _check(conversation, f"conversation {index}")
    return [json.dumps(conversation, ensure_ascii=False) for conversation in value]


def question_and_answer(text: str) -> tuple[str, str]:
    """First question of a conversation, without its `<image>` token, and the answer to it."""
    turns = json.loads(text)
    asked = next(t["value"] for t in turns if t["from"] in ("human", "user"))
    answered = next(t["value"] for t in turns if t["from"] in ("gpt", "assistant"))
    return asked.replace("<image>", "").replace("<video>", "").strip(), answered.strip()


def _check(conversation: Any, where: str) -> None:
    if not isinstance(conversation, list) or not conversation:
        raise ConversationError(f"{where}: {str(conversation)[:80]!r}: must be a list of turns")
    for index, turn in enumerate(conversation):
        if not isinstance(turn, dict) or not isinstance(turn.get("value"), str) or turn.get("from") not in _SPEAKERS:
            raise ConversationError(f"{where}, turn {index}: {str(turn)[:80]!r}: must have `from` and `value`")
        if any("\ud800" <= c <= "\udfff" for c in turn["value"]):
            raise ConversationError(f"{where}, turn {index}: holds half a surrogate pair, which is no character")
    speakers = [turn["from"] for turn in conversation]
    if not {"human", "user"} & set(speakers) or not {"gpt", "assistant"} & set(speakers):
        raise ConversationError(f"{where}: has no turn of `human` or none of `gpt`")
