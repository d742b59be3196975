"""Asks models through an OpenAI-compatible endpoint: cached, within a budget, with retries, many at once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import anyio
import httpx2
import openai
from pydantic import BaseModel, Field, ValidationError

from schemas.rejects import BuildStopped, Reject
from workers.endpoint.answers import A, AnswerCache, BadAnswer, Reply, read_answer
from workers.endpoint.config import EndpointConfig
from workers.endpoint.ledger import Cost, Ledger
from workers.endpoint.transport import GuardedTransport
from workers.fetch.access import Access
from workers.fetch.redaction import HIDDEN
from workers.storage.store import Store

# Neither compressed answers, whose size would not be bounded, nor what else the environment names.
_HEADERS: Any = {
    "Accept-Encoding": "identity",
    "OpenAI-Organization": openai.Omit(),
    "OpenAI-Project": openai.Omit(),
}
CHARS_PER_TOKEN, TOKENS_PER_IMAGE = 3, 1500
"""For a request whose cost is not known yet: on the safe side for English text and frames of 512 pixels."""


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
        self._config, self._key = config, config.key()
        self._answers, self._ledger = AnswerCache(store), Ledger(config, store, purpose)
        self._access = Access(
            local_files=False,
            allow_private_addresses=config.allow_private_addresses,
            ca_bundle=config.ca_bundle,
        )

    def ask(self, request: Request[A]) -> Any:
        """What `request.check` gives for the answer. Raises as `ask_all`, and BadAnswer."""
        [found] = self.ask_all([request])
        if isinstance(found, BadAnswer):
            raise found
        return found

    def ask_all(self, requests: Sequence[Request[A]]) -> list[Any]:
        """Answers in the order of the requests, a BadAnswer in the place of each that stays bad.

        Those that are on their way when one fails are waited for and kept.

        Raises:
            Reject: `endpoint_failed`, `endpoint_cap`.
            BuildStopped: the address, the key or the model is wrong.
        """
        return anyio.run(self._ask_all, requests)

    async def _ask_all(self, requests: Sequence[Request[A]]) -> list[Any]:
        found: list[Any] = [None] * len(requests)
        failures: list[Exception] = []
        limiter = anyio.CapacityLimiter(self._config.concurrency)
        async with self._client() as client, anyio.create_task_group() as tasks:

            async def answer(place: int) -> None:
                async with limiter:
                    if failures:
                        return
                    try:
                        found[place] = await self._answer(client, requests[place])
                    except BadAnswer as bad:
                        found[place] = bad
                    except Exception as failure:
                        failures.append(failure)

            for place in range(len(requests)):
                tasks.start_soon(answer, place)
        if failures:
            raise failures[0]
        return found

    async def _answer(self, client: openai.AsyncOpenAI, request: Request[A]) -> Any:
        keys, bad = [], BadAnswer("never asked")
        for number in range(self._config.answers):
            body = self._body(request, number)
            keys.append(self._answers.key(["chat", body]))
            raw = self._answers.get(keys[-1])
            try:
                if raw is None:
                    raw = await self._fetch(client, body)
                    self._answers.put(keys[-1], raw)
                return request.check(read_answer(Reply.model_validate(raw), request.schema))
            except BadAnswer as error:
                bad = error
            except ValidationError:
                bad = BadAnswer("the kept answer is damaged")
        if not request.keeps_bad:
            for key in keys:
                self._answers.forget(key)
        raise bad

    def _body(self, request: Request[A], number: int) -> dict[str, Any]:
        config = self._config
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

    async def _fetch(self, client: openai.AsyncOpenAI, body: dict[str, Any]) -> dict[str, Any]:
        """A new answer. Raises BadAnswer where the server's is no chat completion, Reject and BuildStopped."""
        most = _most(body)
        with self._ledger.reserve(most) as cost:
            raw = await _checked(client.chat.completions.with_raw_response.create(**body), self._config)
            cost |= most
            try:
                completion = _Completion.model_validate_json(self._without_key(raw.content))
            except ValidationError:
                raise BadAnswer("the server's answer is no chat completion") from None
            if usage := completion.usage:
                cost |= {"tokens_in": usage.prompt_tokens, "tokens_out": usage.completion_tokens}
        [choice, *_] = completion.choices
        return {**choice.message.model_dump(), "finish_reason": choice.finish_reason}

    def _client(self) -> openai.AsyncOpenAI:
        transport = GuardedTransport(self._access, self._config.timeout_s)
        return openai.AsyncOpenAI(
            api_key=self._key,
            base_url=self._config.base_url,
            max_retries=self._config.attempts - 1,
            timeout=self._config.timeout_s,
            default_headers=_HEADERS,
            http_client=httpx2.AsyncClient(transport=transport, follow_redirects=False, trust_env=False),
        )

    def _without_key(self, content: bytes) -> bytes:
        """A server may send the key back."""
        return content if self._key == "none" else content.replace(self._key.encode(), HIDDEN.encode())


async def _checked(response: Any, config: EndpointConfig) -> Any:
    """Awaits a response. Failures are told without a word of the server's, which may hold anything."""
    where = "annotate.endpoint.base_url"
    try:
        return await response
    except openai.APIStatusError as error:
        status = error.status_code
        if status == 401:
            told = (
                f"the key in {config.key_variable} is" if config.key_variable else "a key is needed: set key_variable;"
            )
            raise BuildStopped(f"{where}: HTTP 401: {told} not accepted") from None
        if status == 404:
            raise BuildStopped(f"{where}: HTTP 404: no such address or model; check base_url and the model") from None
        if 300 <= status < 400:
            raise BuildStopped(f"{where}: HTTP {status}: it redirects, which is not followed") from None
        raise Reject("endpoint_failed", f"HTTP {status}, in {config.attempts} attempts at most") from None
    except openai.APITimeoutError:
        raise Reject("endpoint_failed", f"no answer in {config.timeout_s:g} s, {config.attempts} times") from None
    except openai.APIConnectionError as error:
        cause = type(error.__cause__.__cause__ or error.__cause__).__name__ if error.__cause__ else "unknown"
        raise Reject("endpoint_failed", f"no connection ({cause}), {config.attempts} times") from None
    except Reject as refused:  # by the guard of addresses
        detail = refused.detail.replace("download.", "annotate.endpoint.")
        if refused.reason == "refused":
            raise BuildStopped(f"{where}: {detail}") from None
        raise Reject("endpoint_failed", detail) from None


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
