"""Connects the client `openai` to an endpoint, and converts its errors to those of a build."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from schemas.rejects import BuildStopped, Reject
from workers.endpoint.config import EndpointConfig
from workers.fetch.access import Access
from workers.fetch.redaction import HIDDEN

if TYPE_CHECKING:  # its import takes half a second, which only workers that use models need
    import openai


_REFUSED = (
    ": the server refuses the request; try another annotate.endpoint.response_format, answer_limit="
    "max_completion_tokens with temperature=null or, for requests with images, a lower caption.max_frames"
)
_HINTS = {
    400: _REFUSED,
    403: ": the key is not valid for this model, or the request is forbidden",
    413: _REFUSED,
    422: _REFUSED,
}
"""Advice for errors that another attempt would not avoid."""


class Connection:
    """Opens clients that connect to checked addresses only. Raises ConfigError if there is no key."""

    def __init__(self, config: EndpointConfig) -> None:
        self._config, self._key = config, config.key()
        self._access = Access(
            local_files=False,
            allow_private_addresses=config.allow_private_addresses,
            ca_bundle=config.ca_bundle,
        )

    def open(self) -> openai.AsyncOpenAI:
        """Returns a client for one event loop, which the caller closes."""
        import httpx2
        import openai

        from workers.endpoint.transport import GuardedTransport

        # No compressed answers, whose size would not be limited, and no organisation or project from the environment.
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
        """Returns the body of a raw response without the key, which a server may echo.

        Args:
            response: response of the client.
            model: setting with the name of the model.

        Raises:
            Reject: `endpoint_failed` after all attempts.
            BuildStopped: the address, the key or the model is wrong.
        """
        body: bytes = (await _awaited(response, self._config, model)).content
        return body if self._key == "none" else body.replace(self._key.encode(), HIDDEN.encode())


async def _awaited(response: Awaitable[Any], config: EndpointConfig, model: str) -> Any:
    """Awaits a response. Error messages contain no text of the server, which is untrusted."""
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
            raise BuildStopped(f"{where}: HTTP 404: unknown address or model; check base_url and {named}") from None
        if 300 <= status < 400:
            raise BuildStopped(f"{where}: HTTP {status}: redirects are not followed") from None
        told = _HINTS.get(status, f", in {config.attempts} attempts at most")
        raise Reject("endpoint_failed", f"HTTP {status}{told}") from None
    except openai.APITimeoutError:
        raise Reject("endpoint_failed", f"no answer in {config.timeout_s:g} s, {config.attempts} times") from None
    except openai.APIConnectionError as error:
        cause = type(error.__cause__.__cause__ or error.__cause__).__name__ if error.__cause__ else "unknown"
        raise Reject("endpoint_failed", f"no connection ({cause}), {config.attempts} times") from None
    except Reject as refused:  # raised by the check of addresses, or by the budget before another attempt
        if refused.reason == "endpoint_cap":
            raise
        detail = refused.detail.replace("download.", "annotate.endpoint.")
        if refused.reason == "refused":
            raise BuildStopped(f"{where}: {detail}") from None
        raise Reject("endpoint_failed", detail) from None
