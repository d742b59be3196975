"""Settings of the endpoint that models are asked through."""

import os
from typing import Any, Literal

from pydantic import Field, field_validator

from schemas.config import Config, ConfigError
from workers.fetch.urls import HttpUrl, UrlError, parse_url

CHARS_PER_TOKEN, TOKENS_PER_IMAGE = 3, 1500
"""For a request whose cost is not known yet: on the safe side for English text and frames of 512 pixels."""
_CONTENT = {"model", "temperature", "max_answer_tokens", "response_format"}


class EndpointConfig(Config):
    """An OpenAI-compatible endpoint (vLLM, Ray Serve, a vendor), and what may be spent on it."""

    base_url: str = ""
    """Address of the API, such as `https://api.example.com/v1`. Empty: no model is asked."""
    model: str = ""
    """Name of the model that captions, merges captions and rewrites questions."""
    speech_model: str = ""
    """Name of the model that transcribes."""
    key_variable: str = Field("", pattern="^([A-Za-z_][A-Za-z0-9_]*)?$")
    """Name of the environment variable that holds the key, on every node. Empty: no key is sent."""
    allow_private_addresses: bool = False
    """Ask a host of a private, loopback or link-local network (an own server)."""
    ca_bundle: str = ""
    """A file of certificates that the server is checked by, on every node, in place of those of certifi."""
    max_tokens: int = Field(0, ge=0)
    """Tokens that a corpus may cost in all, of requests and answers; 0: no limit. When they are used up, nothing more
    is asked, and what is left is rejected as `endpoint_cap`."""
    max_cost: float = Field(0.0, ge=0)
    """The same in money, in the currency of the prices; 0: no limit."""
    price_in: float = Field(0.0, ge=0)
    """Price of a million tokens of requests."""
    price_out: float = Field(0.0, ge=0)
    """Price of a million tokens of answers."""
    price_minute: float = Field(0.0, ge=0)
    """Price of a minute of transcribed audio."""
    max_answer_tokens: int = Field(2000, ge=16)
    """Tokens of one answer. A longer one is cut by the server, and is a bad answer then."""
    temperature: float = Field(0.0, ge=0, le=2)
    """Of sampling."""
    response_format: Literal["json_schema", "json_object", "text"] = "json_schema"
    """How JSON is asked for: by its schema, as JSON, or by the prompt alone, for servers that know neither."""
    answers: int = Field(2, ge=1, le=10)
    """How often a request is made in all while the answers are bad (a refusal, broken JSON, another schema)."""
    attempts: int = Field(5, ge=1, le=100)
    """Tries of one request while the server fails or asks to wait, with growing pauses between them."""
    timeout_s: float = Field(120.0, gt=0)
    """Seconds of one try, to the last byte of the answer."""
    concurrency: int = Field(8, ge=1, le=256)
    """Requests at once of one worker that has several to make."""

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, text: str) -> str:
        # The value is not shown: a key may stand in it.
        if not text:
            return text
        try:
            url = parse_url(text)
        except UrlError as error:
            raise ValueError(str(error)) from None
        if not isinstance(url, HttpUrl) or url.url.userinfo or url.url.query or "#" in text:
            raise ValueError("write http(s)://host/path alone: a key comes from the variable named in key_variable")
        return text

    def content(self) -> dict[str, Any]:
        """The fields that an answer depends on: what is asked, and not where and at which price."""
        return self.model_dump(mode="json", include=_CONTENT)

    def speech_content(self) -> dict[str, Any]:
        """The same of transcripts."""
        return {"speech_model": self.speech_model}

    def key(self) -> str:
        """The key of the environment, or `none`. Raises ConfigError where the variable is not set."""
        if not self.key_variable:
            return "none"
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise ConfigError(
                f"annotate.endpoint.key_variable = {self.key_variable!r}: the environment has no such variable. Set it "
                "on this machine and on every node"
            )
        if not (key.isascii() and key.isprintable()):
            raise ConfigError(
                f"the key in the environment's {self.key_variable} has a character that no header may hold, such as a "
                "typographic quotation mark or a line feed; copy it anew"
            )
        return key

    def check(self, *models: str) -> None:
        """Raises ConfigError for what is missing before a model can be asked.

        Args:
            models: fields that name the models that are needed.
        """
        for name in ("base_url", *models):
            if not getattr(self, name):
                raise ConfigError(f"annotate.endpoint.{name} = '': set it, or leave the models out that need it")
        if self.max_cost and not (self.price_in or self.price_out or self.price_minute):
            raise ConfigError(f"annotate.endpoint.max_cost = {self.max_cost}: set price_in and price_out as well")
        self.key()
