"""Caches answers of models by the content of their requests, and parses them as untrusted data."""

import json
import re
import unicodedata
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from schemas.stage import digest
from workers.storage.store import Store

MAX_CHARS = 400_000
ANSWERS = "endpoint/answers"
# Thoughts that a server leaves in the answer of a reasoning model.
_THOUGHTS = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"\s*```(?:json)?\s*(.*?)\s*```\s*", re.DOTALL)
# Characters without width and tags, which can hide text. Joiners that some scripts need (U+200C, U+200D) are kept.
_HIDDEN = re.compile("[\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]")
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # for example, colours of a terminal
_NO_TEXT = ("Cc", "Cs", "Co", "Cn")


class BadAnswer(Exception):
    """An answer cannot be used: a refusal, no JSON, another schema. The message contains no text of the model."""


class Answer(BaseModel):
    """Is the base of all schemas of answers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


A = TypeVar("A", bound=Answer)


class Reply(BaseModel):
    """Holds the part of a chat completion that is used."""

    content: str | None = Field(None, max_length=MAX_CHARS)
    refusal: str | None = Field(None, max_length=MAX_CHARS)
    finish_reason: str | None = Field(None, max_length=100)


def plain(text: str) -> str:
    """Returns a text without control characters, hidden characters and line breaks."""
    text = _HIDDEN.sub("", _TERMINAL.sub("", unicodedata.normalize("NFC", text)))
    return " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c) not in _NO_TEXT).split())


def _short(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        text = plain(text)
        if not 0 < len(text) <= limit:
            raise ValueError(f"a text of {len(text)} characters, not of 1 to {limit}")
        return text

    return AfterValidator(check)


# The limits are not part of the JSON schema, since not all servers support them there.
Sentence = Annotated[str, _short(400)]
Line = Annotated[str, _short(1000)]


def read_answer(reply: Reply, schema: type[A]) -> A:
    """Parses an answer according to its schema. Raises BadAnswer with the cause."""
    if reply.refusal or reply.finish_reason == "content_filter":
        raise BadAnswer("the model refuses")
    if reply.finish_reason == "length":
        raise BadAnswer("the answer was cut: raise annotate.endpoint.max_answer_tokens")
    text = reply.content or ""
    if thoughts := _THOUGHTS.match(text):
        text = text[thoughts.end() :]
    if not text.strip():
        raise BadAnswer("the answer is empty")
    if fenced := _FENCE.fullmatch(text):
        text = fenced[1]
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            cause = "the model refuses or answers in prose" if "{" not in text else "the JSON is broken or cut"
            raise BadAnswer(f"no JSON: {cause}") from None
        where = ".".join(str(part)[:40] for part in first["loc"][:4]) or "the answer"
        raise BadAnswer(f"another schema: {plain(where)}: {first['type']}") from None


class AnswerCache:
    """Caches raw answers in `endpoint/answers` of a corpus."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @staticmethod
    def key(request: Any) -> str:
        """Returns the path of the answer to a request, which must be representable in JSON."""
        name = digest(request)
        return f"{ANSWERS}/{name[:2]}/{name}.json"

    def get(self, key: str) -> dict[str, Any] | None:
        """Returns a cached answer; None if there is none or the file is damaged."""
        if not self._store.exists(key):
            return None
        try:
            found = self._store.read_json(key)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, key: str, answer: dict[str, Any]) -> None:
        """Caches an answer. Raises ValueError if it contains NaN or infinity."""
        json.dumps(answer, allow_nan=False)  # the store would write NaN, which is not JSON
        self._store.write_json(key, answer)

    def forget(self, key: str) -> None:
        """Deletes a cached answer, so that the request is sent again."""
        self._store.delete(key)
