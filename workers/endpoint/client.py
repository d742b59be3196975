"""Sends requests to models behind an OpenAI-compatible endpoint: cached, within a budget, retried, concurrent."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import anyio
from pydantic import BaseModel, Field, ValidationError

from workers.endpoint.answers import A, AnswerCache, BadAnswer, Reply, read_answer
from workers.endpoint.config import CHARS_PER_TOKEN, TOKENS_PER_IMAGE, EndpointConfig
from workers.endpoint.connection import Connection
from workers.endpoint.ledger import Cost, Ledger
from workers.storage.store import Store

NOT_THE_API = "if this happens for all answers, base_url lacks a part of the path of the API, such as /v1"


@dataclass(frozen=True)
class Request(Generic[A]):
    """Asks for an answer in JSON.

    Attributes:
        messages: messages of the chat in the format of the API.
        schema: schema of the answer.
        check: returns the result for an answer, or raises BadAnswer if the answer is wrong although it has the schema.
        keeps_bad: whether bad answers stay in the cache, so that the same request is not sent again. Otherwise they are
            deleted once all attempts were bad, and a later call sends the request again.
    """

    messages: list[dict[str, Any]]
    schema: type[A]
    check: Callable[[A], Any] = lambda answer: answer
    keeps_bad: bool = False


class _Choice(BaseModel):
    message: Reply
    finish_reason: str | None = Field(None, max_length=100)


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0, lt=1 << 31)
    completion_tokens: int = Field(0, ge=0, lt=1 << 31)


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None


class Endpoint:
    """Sends the requests of one stage to an endpoint.

    Args:
        config: settings of the endpoint.
        store: store of the corpus, which contains answers and costs.
        purpose: name under which costs are counted, that of the stage.

    Raises ConfigError if the environment does not contain the key.
    """

    def __init__(self, config: EndpointConfig, store: Store, purpose: str) -> None:
        self.config, self.connection = config, Connection(config)
        self.answers, self.ledger = AnswerCache(store), Ledger(config, store, purpose)

    def ask(self, request: Request[A]) -> Any:
        """Returns the result of `request.check` for the answer. Raises BadAnswer, and the errors of `ask_all`."""
        [found] = self.ask_all([request])
        if isinstance(found, BadAnswer):
            raise found
        return found

    def ask_all(self, requests: Sequence[Request[A]]) -> list[Any]:
        """Returns a result per request, in the same order; a BadAnswer if all answers to a request were bad.

        Equal requests are sent once. If a request fails, the pending ones are still completed and cached.

        Raises:
            Reject: `endpoint_failed`, `endpoint_cap`.
            BuildStopped: the address, the key or the model is wrong.
        """
        return anyio.run(self._ask_all, requests)

    async def _ask_all(self, requests: Sequence[Request[A]]) -> list[Any]:
        found: list[Any] = [None] * len(requests)
        failures: list[Exception] = []
        forgotten: set[str] = set()
        locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        limiter = anyio.CapacityLimiter(self.config.concurrency)
        async with self.connection.open() as client, anyio.create_task_group() as tasks:

            async def answer(place: int) -> None:
                async with limiter:
                    if failures:
                        return
                    try:
                        found[place] = await self._answer(client, requests[place], locks, forgotten)
                    except BadAnswer as bad:
                        found[place] = bad
                    except Exception as failure:  # noqa: BLE001  # raised once the others have ended
                        failures.append(failure)

            for place in range(len(requests)):
                tasks.start_soon(answer, place)
        for key in forgotten:
            self.answers.forget(key)
        if failures:
            raise failures[0]
        return found

    async def _answer(
        self, client: Any, request: Request[A], locks: defaultdict[str, anyio.Lock], forgotten: set[str]
    ) -> Any:
        keys, bad = [], BadAnswer("never asked")
        for number in range(self.config.answers):
            body = self._body(request, number)
            keys.append(self.answers.key(["chat", body]))
            try:
                async with locks[keys[-1]]:  # an equal request waits for this answer
                    raw = self.answers.get(keys[-1])
                    if raw is None:
                        raw = await self._fetch(client, body)
                        self.answers.put(keys[-1], raw)
                return request.check(read_answer(Reply.model_validate(raw), request.schema))
            except BadAnswer as error:
                bad = error
            except ValidationError:
                bad = BadAnswer("the cached answer is damaged")
        if not request.keeps_bad:
            forgotten |= {*keys}
        raise bad

    def _body(self, request: Request[A], number: int) -> dict[str, Any]:
        config = self.config
        schema = {"name": request.schema.__name__, "schema": request.schema.model_json_schema(), "strict": True}
        formats = {
            "json_schema": {"type": "json_schema", "json_schema": schema},
            "json_object": {"type": "json_object"},
        }
        body = {
            "model": config.model,
            "messages": request.messages,
            config.answer_limit: config.max_answer_tokens,
            "seed": number,
        }
        if config.temperature is not None:
            body["temperature"] = config.temperature
        if config.response_format in formats:
            body["response_format"] = formats[config.response_format]
        return body

    async def _fetch(self, client: Any, body: dict[str, Any]) -> dict[str, Any]:
        """Sends a request. Raises BadAnswer if the response is not a chat completion; also Reject and BuildStopped."""
        most = _most(body, self.config.max_answer_tokens)
        with self.ledger.reserve(most) as cost:
            raw = await self.connection.content(client.chat.completions.with_raw_response.create(**body))
            cost |= most
            try:
                completion = _Completion.model_validate_json(raw)
            except ValidationError:
                raise BadAnswer(f"the response is not a chat completion; {NOT_THE_API}") from None
            cost |= _used(completion.usage)
        [choice, *_] = completion.choices
        return {**choice.message.model_dump(), "finish_reason": choice.finish_reason}


def _used(usage: Any) -> Cost:
    """Returns the cost that a response states; nothing if it states none that can be read, so the estimate holds."""
    try:
        read = _Usage.model_validate(usage)
    except ValidationError:
        return {}
    return {"tokens_in": read.prompt_tokens, "tokens_out": read.completion_tokens}


def _most(body: dict[str, Any], answer_tokens: int) -> Cost:
    """Returns an upper estimate of the cost of a request."""
    parts = [part for message in body["messages"] for part in _parts(message["content"])]
    # Bytes, since a character of most scripts other than the Latin one is a token or more.
    size = sum(len(part.get("text", "").encode(errors="replace")) for part in parts)
    size += len(json.dumps(body.get("response_format", "")))
    images = sum(part["type"] == "image_url" for part in parts)
    return {
        "tokens_in": size // CHARS_PER_TOKEN + images * TOKENS_PER_IMAGE,
        "tokens_out": answer_tokens,
    }


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
