"""Checks conversations in the LLaVA format without changing them."""

import json
from typing import Any

from schemas.rows import Row
from stages.annotations.json_text import load_json
from stages.annotations.text import AnnotationError, format_value

_ASKS, _ANSWERS = ("human", "user"), ("gpt", "assistant")
_SPEAKERS = (*_ASKS, *_ANSWERS, "system")


def parse_conversations(text: str) -> list[str]:
    """Returns the conversations of a video, each as JSON text.

    `text` is JSON: one conversation (a list of turns `{"from": "human" | "gpt", "value": "..."}`), or a list of those.
    Answers before the first question are left out; a conversation that is the whole of `text` and begins with a
    question comes back as it was written. Raises AnnotationError.
    """
    value = load_json(text)
    if not isinstance(value, list):
        raise AnnotationError("must be a list of turns, or a list of such lists")
    if value and all(isinstance(turn, dict) for turn in value):
        turns = _checked(value, "the conversation")
        return [text if turns == value else json.dumps(turns, ensure_ascii=False)]
    checked = [_checked(conversation, f"conversation {index}") for index, conversation in enumerate(value)]
    return [json.dumps(turns, ensure_ascii=False) for turns in checked]


def question_and_answer(text: str) -> tuple[str, str]:
    """Returns the first question of a conversation, without its `<image>` token, and its answer."""
    turns = json.loads(text)
    asked = next(i for i, turn in enumerate(turns) if turn["from"] in _ASKS)
    answer = next(turn["value"] for turn in turns[asked:] if turn["from"] in _ANSWERS)
    return turns[asked]["value"].replace("<image>", "").replace("<video>", "").strip(), answer.strip()


def _checked(conversation: Any, where: str) -> list[Row]:
    """Returns the turns of a conversation from the first question on, without the system message."""
    if not isinstance(conversation, list) or not conversation:
        raise AnnotationError(f"{where}: must be a list of turns, not {format_value(conversation)}")
    for index, turn in enumerate(conversation):
        if not isinstance(turn, dict) or not isinstance(turn.get("value"), str) or turn.get("from") not in _SPEAKERS:
            speakers = ", ".join(_SPEAKERS)
            raise AnnotationError(f"{where}, turn {index}: must have `from` ({speakers}) and a text `value`")
    try:
        json.dumps(conversation, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise AnnotationError(f"{where}: holds half a surrogate pair, which is no character") from None
    except ValueError:
        raise AnnotationError(f"{where}: holds a number that is not finite, which JSON cannot hold") from None
    asked = next((i for i, turn in enumerate(conversation) if turn["from"] in _ASKS), len(conversation))
    if not any(turn["from"] in _ANSWERS for turn in conversation[asked:]):
        raise AnnotationError(f"{where}: no turn of `human` is followed by one of `gpt`")
    return [turn for i, turn in enumerate(conversation) if i > asked or turn["from"] not in _ANSWERS]
