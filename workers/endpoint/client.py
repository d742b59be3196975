"""Asks models through an OpenAI-compatible endpoint: cached, within a budget, with retries, many at once."""

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

NOT_THE_API = "where all answers are such, base_url lacks a part of the API's path, such as /v1"


@dataclass(frozen=True)
class Request(Generic[A]):
    """One request for JSON.

    Attributes:
        messages: of the chat, as the API takes them.
        schema: of the answer.
        check: gives what is used of an answer, or raises BadAnswer for one that fits the schema alone.
        keeps_bad: a bad answer is kept as well, so that asking again gives it again. Otherwise it is forgotten once all
            tries are bad, and a later call asks anew.
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
    usage: _Usage | None = None


class Endpoint:
    """An endpoint, asked for one purpose.

    Args:
        config: of the endpoint.
        store: of the corpus, which keeps answers and costs.
        purpose: under which costs are counted: the stage's name.

    Raises ConfigError where the key is not in the environment.
    """

    def __init__(self, config: EndpointConfig, store: Store, purpose: str) -> None:
        self.config, self.connection = config, Connection(config)
        self.answers, self.ledger = AnswerCache(store), Ledger(config, store, purpose)

    def ask(self, request: Request[A]) -> Any:
        """What `request.check` gives for the answer. Raises as `ask_all`, and BadAnswer."""
        [found] = self.ask_all([request])
        if isinstance(found, BadAnswer):
            raise found
        return found

    def ask_all(self, requests: Sequence[Request[A]]) -> list[Any]:
        """Answers in the order of the requests, a BadAnswer in the place of each that stays bad.

        Of equal requests one is made. Those that are on their way when one fails are waited for and kept.

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
                    except Exception as failure:
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
                async with locks[keys[-1]]:  # an equal request waits for the answer rather than being made again
                    raw = self.answers.get(keys[-1])
                    if raw is None:
                        raw = await self._fetch(client, body)
                        self.answers.put(keys[-1], raw)
                return request.check(read_answer(Reply.model_validate(raw), request.schema))
            except BadAnswer as error:
                bad = error
            except ValidationError:
                bad = BadAnswer("the kept answer is damaged")
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
            "temperature": config.temperature,
            "max_tokens": config.max_answer_tokens,
            "seed": number,
        }
        if config.response_format in formats:
            body["response_format"] = formats[config.response_format]
        return body

    async def _fetch(self, client: Any, body: dict[str, Any]) -> dict[str, Any]:
        """A new answer. Raises BadAnswer where the server's is no chat completion, Reject and BuildStopped."""
        most = _most(body)
        with self.ledger.reserve(most) as cost:
            raw = await self.connection.content(client.chat.completions.with_raw_response.create(**body))
            cost |= most
            try:
                completion = _Completion.model_validate_json(raw)
            except ValidationError:
                raise BadAnswer(f"the server's answer is no chat completion; {NOT_THE_API}") from None
            if usage := completion.usage:
                cost |= {"tokens_in": usage.prompt_tokens, "tokens_out": usage.completion_tokens}
        [choice, *_] = completion.choices
        return {**choice.message.model_dump(), "finish_reason": choice.finish_reason}


def _most(body: dict[str, Any]) -> Cost:
    """What a request may cost, at most or nearly so."""
    parts = [part for message in body["messages"] for part in _parts(message["content"])]
    characters = sum(len(part.get("text", "")) for part in parts) + len(json.dumps(body.get("response_format", "")))
    images = sum(part["type"] == "image_url" for part in parts)
    return {
        "tokens_in": characters // CHARS_PER_TOKEN + images * TOKENS_PER_IMAGE,
        "tokens_out": body["max_tokens"],
    }


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
