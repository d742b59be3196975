"""Settings of the endpoint of models."""

import os
from typing import Any, Literal

from pydantic import Field, field_validator

from schemas.config import Config, ConfigError
from workers.fetch.urls import HttpUrl, UrlError, parse_url

CHARS_PER_TOKEN, TOKENS_PER_IMAGE = 3, 1500
"""For estimates before a request is sent; conservative for English text and frames of 512 pixels."""
_CONTENT = {"model", "temperature", "max_answer_tokens", "response_format"}


class EndpointConfig(Config):
    """Sets an OpenAI-compatible endpoint (vLLM, Ray Serve, a vendor) and its budget."""

    base_url: str = ""
    """Address of the API, such as `https://api.example.com/v1`. Empty: no models are used."""
    model: str = ""
    """Name of the model that captions, merges captions and rewrites questions."""
    speech_model: str = ""
    """Name of the model that transcribes."""
    key_variable: str = Field("", pattern="^([A-Za-z_][A-Za-z0-9_]*)?$")
    """Name of the environment variable that contains the key, on every node. Empty: no key is sent."""
    allow_private_addresses: bool = False
    """Whether hosts of private, loopback and link-local networks are allowed (a server of your own)."""
    ca_bundle: str = ""
    """File of certificates, present on every node, that the server is verified against instead of those of certifi."""
    max_tokens: int = Field(0, ge=0)
    """Maximum number of tokens of a corpus, of requests and answers together; 0: no limit. After that, no requests are
    sent, and the remaining units are rejected as `endpoint_cap`."""
    max_cost: float = Field(0.0, ge=0)
    """Maximum cost of a corpus in the currency of the prices; 0: no limit."""
    price_in: float = Field(0.0, ge=0)
    """Price of a million tokens of requests."""
    price_out: float = Field(0.0, ge=0)
    """Price of a million tokens of answers."""
    price_minute: float = Field(0.0, ge=0)
    """Price of a minute of transcribed audio."""
    max_answer_tokens: int = Field(2000, ge=16)
    """Maximum number of tokens per answer. The server cuts longer ones, which are then bad answers."""
    answer_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Parameter of a request that has `max_answer_tokens`: newer models of some vendors take only the second."""
    temperature: float | None = Field(0.0, ge=0, le=2)
    """Temperature of sampling. null: none is sent, for models that take no other than their own."""
    response_format: Literal["json_schema", "json_object", "text"] = "json_schema"
    """How JSON is requested: with its schema, as JSON, or only by the prompt, for servers that support neither."""
    answers: int = Field(2, ge=1, le=10)
    """Maximum number of answers to a request while they are bad (a refusal, broken JSON, another schema)."""
    attempts: int = Field(5, ge=1, le=100)
    """Maximum number of attempts per answer while the server fails or asks to wait, with increasing pauses."""
    timeout_s: float = Field(120.0, gt=0)
    """Timeout of an attempt in seconds, up to the last byte of the answer."""
    concurrency: int = Field(8, ge=1, le=256)
    """Maximum number of concurrent requests per worker."""

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, text: str) -> str:
        # Messages do not contain the value, since it may contain a key.
        if not text:
            return text
        try:
            url = parse_url(text)
        except UrlError as error:
            raise ValueError(str(error)) from None
        if not isinstance(url, HttpUrl) or url.url.userinfo or url.url.query or "#" in text:
            raise ValueError("write only http(s)://host/path; the key is taken from the variable named in key_variable")
        return text

    def content(self) -> dict[str, Any]:
        """Returns the fields that an answer depends on; address and prices are not among them."""
        return self.model_dump(mode="json", include=_CONTENT)

    def speech_content(self) -> dict[str, Any]:
        """Returns the fields that a transcript depends on."""
        return {"speech_model": self.speech_model}

    def key(self) -> str:
        """Returns the key from the environment, or `none`. Raises ConfigError if the variable is not set."""
        if not self.key_variable:
            return "none"
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise ConfigError(
                f"annotate.endpoint.key_variable = {self.key_variable!r}: this environment variable is not set. Set "
                "it on this machine and on every node"
            )
        if not (key.isascii() and key.isprintable()):
            raise ConfigError(
                f"the key in the environment variable {self.key_variable} has a character that is not allowed in "
                "headers, such as a typographic quotation mark or a line feed; copy the key again"
            )
        return key

    def check(self, *models: str) -> None:
        """Raises ConfigError if a setting that is needed to use models is missing.

        Args:
            models: fields with the names of the needed models.
        """
        for name in ("base_url", *models):
            if not getattr(self, name):
                raise ConfigError(f"annotate.endpoint.{name} = '': set it, or do not use the models that need it")
        if self.max_cost and not (self.price_in or self.price_out or self.price_minute):
            raise ConfigError(f"annotate.endpoint.max_cost = {self.max_cost}: set price_in and price_out as well")
        self.key()
