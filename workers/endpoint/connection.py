"""The connection of `openai` to an endpoint, and what its failures mean for a build."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from schemas.rejects import BuildStopped, Reject
from workers.endpoint.config import EndpointConfig
from workers.fetch.access import Access
from workers.fetch.redaction import HIDDEN

if TYPE_CHECKING:  # half a second, which only a worker that asks a model needs
    import openai


_REFUSED = (
    ": the server refuses the request; try another annotate.endpoint.response_format, or, where it has images, a lower "
    "caption.max_frames"
)
_HINTS = {
    400: _REFUSED,
    403: ": the key may not be used for this model, or the request is forbidden",
    413: _REFUSED,
    422: _REFUSED,
}
"""What is told of errors that another attempt would not mend."""


class Connection:
    """Opens clients that go through the guard of addresses. Raises ConfigError where there is no key."""

    def __init__(self, config: EndpointConfig) -> None:
        self._config, self._key = config, config.key()
        self._access = Access(
            local_files=False,
            allow_private_addresses=config.allow_private_addresses,
            ca_bundle=config.ca_bundle,
        )

    def open(self) -> openai.AsyncOpenAI:
        """A client for one event loop, to be closed."""
        import httpx2
        import openai

        from workers.endpoint.transport import GuardedTransport

        # Neither compressed answers, whose size would not be bounded, nor what else the environment names.
        headers: Any = {
            "Accept-Encoding": "identity",
            "OpenAI-Organization": openai.Omit(),
            "OpenAI-Project": openai.Omit(),
        }
        transport = GuardedTransport(self._access, self._config.timeout_s)
        return openai.AsyncOpenAI(
            api_key=self._key,
            base_url=self._config.base_url,
            max_retries=self._config.attempts - 1,
            timeout=self._config.timeout_s,
            default_headers=headers,
            http_client=httpx2.AsyncClient(transport=transport, follow_redirects=False, trust_env=False),
        )

    async def content(self, response: Awaitable[Any], model: str = "model") -> bytes:
        """The body of a raw response, without the key, which a server may send back.

        Args:
            response: what the client gives.
            model: the setting that names the model which is asked.

        Raises:
            Reject: `endpoint_failed`, after all attempts.
            BuildStopped: the address, the key or the model is wrong.
        """
        body: bytes = (await _awaited(response, self._config, model)).content
        return body if self._key == "none" else body.replace(self._key.encode(), HIDDEN.encode())


async def _awaited(response: Awaitable[Any], config: EndpointConfig, model: str) -> Any:
    """Failures are told without a word of the server's, which may hold anything."""
    import openai

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
            named = f"annotate.endpoint.{model} = {getattr(config, model)!r}"
            raise BuildStopped(f"{where}: HTTP 404: no such address or model; check base_url and {named}") from None
        if 300 <= status < 400:
            raise BuildStopped(f"{where}: HTTP {status}: it redirects, which is not followed") from None
        told = _HINTS.get(status, f", in {config.attempts} attempts at most")
        raise Reject("endpoint_failed", f"HTTP {status}{told}") from None
    except openai.APITimeoutError:
        raise Reject("endpoint_failed", f"no answer in {config.timeout_s:g} s, {config.attempts} times") from None
    except openai.APIConnectionError as error:
        cause = type(error.__cause__.__cause__ or error.__cause__).__name__ if error.__cause__ else "unknown"
        raise Reject("endpoint_failed", f"no connection ({cause}), {config.attempts} times") from None
    except Reject as refused:  # by the guard of addresses, or by the cap before another attempt
        if refused.reason == "endpoint_cap":
            raise
        detail = refused.detail.replace("download.", "annotate.endpoint.")
        if refused.reason == "refused":
            raise BuildStopped(f"{where}: {detail}") from None
        raise Reject("endpoint_failed", detail) from None
