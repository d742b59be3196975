"""The base of all configs: strict, frozen, and with errors that name the field, the value and the remedy."""

import json
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.config_error import ConfigError as ConfigError  # as all that reads configs knows it

Model = TypeVar("Model", bound="Config")


class Config(BaseModel):
    """Is the base of all configs: frozen; an unknown key, a wrong type or a value out of range is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Resources(Config):
    """Sets the resources of one worker of a stage, and the number of workers.

    They are not part of the cache key, since content never depends on them.
    """

    cpus: float = Field(1.0, ge=0)
    """CPU cores per worker; may be fractional."""
    gpus: float = Field(0.0, ge=0)
    """GPUs per worker; 0.25 places four workers on one GPU."""
    memory_mb: int = Field(0, ge=0)
    """Memory that is reserved per worker; 0 reserves none."""
    workers: tuple[int, int] = (1, 1)
    """Minimum and maximum number of workers."""


class StageConfig(Config):
    """Is the base of a stage's config. Every field except `resources` is part of the cache key of the stage's units."""

    resources: Resources = Resources()
    """Resources and number of workers of the stage."""
    cache_key_names: ClassVar[dict[str, str]] = {}
    """What the cache key calls a field that was renamed, so that units made before stay valid."""

    not_content: ClassVar[tuple[str, ...]] = ()
    """Fields besides `resources` that a unit's content does not depend on, such as limits."""

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on."""
        return self.model_dump(mode="json", exclude={"resources", *self.not_content})

    def cache_key(self) -> dict[str, Any]:
        """Returns the same fields under the names that are used in unit paths."""
        return {self.cache_key_names.get(name, name): value for name, value in self.semantic().items()}

    def expected_cost(self) -> dict[str, float]:
        """Returns the expected cost of a unit: `calls`, `tokens_in`, `tokens_out` and `minutes` of audio."""
        return {}


class TowerConfig(Config):
    """Names a frozen open_clip tower."""

    model: str = "ViT-B-32"
    """Name of an open_clip architecture, or `local-dir:PATH` for a folder with open_clip_config.json and weights."""
    pretrained: str = ""
    """Pretrained tag or path of a weights file; empty with `local-dir:`."""
    precision: str = Field("fp32", pattern="^(fp32|bf16|fp16)$")
    """Autocast type on a GPU; a CPU always runs fp32."""


def parse(model: type[Model], values: dict[str, Any], *, is_recorded: bool = False) -> Model:
    """Validates `values` as `model`.

    Args:
        model: config to validate as.
        values: its fields.
        is_recorded: the values are those of a corpus, which may have been built on another machine: the folders of
            models that they name need not be here.

    Raises:
        ConfigError: lists every bad field.
    """
    try:
        # By way of JSON: strict, but a list from YAML is a legal tuple.
        return model.model_validate_json(json.dumps(values), context={"is_recorded": is_recorded})
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(model, e) for e in error.errors())) from None


def _explain(model: type[BaseModel], error: Any) -> str:
    field = ".".join(str(part) for part in error["loc"]) or "(config)"
    if error["type"] == "extra_forbidden":
        return f"{field} = {error['input']!r}: unknown key. Use one of: {', '.join(_siblings(model, error['loc']))}"
    return f"{field} = {error['input']!r}: {error['msg'].removeprefix('Value error, ')}"


def _siblings(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    for part in loc[:-1]:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
