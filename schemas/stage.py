"""The declaration of a stage. Stages are data: the engine gives them units and commits what they yield."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, Protocol, cast

import numpy as np
import pyarrow as pa

from schemas.config import StageConfig
from schemas.rows import Row

FanOut = Literal["1:1", "1:N", "N:1"]
Output = Iterator[pa.Table] | dict[str, np.ndarray]


class UnitFunction(Protocol):
    """Describes a stage without state: a function that is called for each unit, in any process."""

    def __call__(self, unit: Any, config: Any, store: Any) -> Output:
        """Makes one unit."""


class UnitWorker(Protocol):
    """Describes a stage that keeps state between units (weights, a sandbox): a class, constructed once per process."""

    def __init__(self, config: Any, store: Any) -> None: ...

    def __call__(self, unit: Any) -> Output:
        """Makes one unit."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Declares one stage.

    `run` gets a dict of the columns in `reads`, and `unit_path`, the path of the unit's file. It yields Arrow tables of
    the schema `writes`; if `writes` is None, it returns one dict of named tensors. It raises `schemas.rejects.Reject`
    for a unit that cannot be made. Its output depends on its config and the unit only: not on the time, on unseeded
    random numbers, on the number of workers or on earlier units.
    """

    name: str
    reads: pa.Schema
    writes: pa.Schema | None
    run: UnitFunction | type[UnitWorker]
    config: StageConfig
    emits: Literal["rows", "unit"]
    """What the stage passes to the next one: each row of the unit, or the row that the unit was made from. Both get the
    column `<name>_unit`, the unit's path."""
    cache_key_excludes: tuple[str, ...] = ()
    """Columns of `reads` that give a location and not a content; the unit's path does not depend on them."""
    kind: Literal["video", "segment", "shard", "corpus"] = "video"
    """What one unit covers."""
    fan_out: FanOut = "1:1"
    """Set by the list of stages, `pipeline.phases.PHASES`."""
    is_complete: Callable[[Row, Any], bool] | None = None
    """For a stage that writes other files than its unit: `(unit, store)`, returns whether those are complete."""
    section: str = ""
    """Section of the recipe that contains its config, if that has another name than the stage."""
    imports: tuple[str, ...] = ()
    """Modules that take seconds to import. A Ray actor imports them at its start, while earlier stages of the chain
    make its first unit."""
    version: int = 1
    """Must be increased when the stage writes something else for the same config and inputs."""

    @property
    def suffix(self) -> str:
        """Returns the suffix of the stage's unit files."""
        return ".parquet" if self.writes is not None else ".safetensors"

    @property
    def is_actor(self) -> bool:
        """Returns whether `run` is a class, whose instances live in Ray actors; functions run in Ray tasks."""
        return inspect.isclass(self.run)

    @cached_property
    def folder(self) -> str:
        """Returns the folder of its units in the corpus, for its version and config."""
        return f"units/{self.name}/{digest([self.name, self.version, self.config.cache_key()])[:12]}"

    def unit_path(self, unit: Row) -> str:
        """Returns the path of a unit's file in the corpus, made of a hash of the config and a hash of the inputs."""
        inputs = digest([unit[name] for name in self.reads.names if name not in self.cache_key_excludes])
        return f"{self.folder}/{inputs[:2]}/{inputs[:24]}{self.suffix}"

    def make(self, store: Any) -> Callable[[Row], Output]:
        """Returns `run` for units of one corpus: a new worker, or the function with its other arguments bound."""
        if self.is_actor:
            return cast(type[UnitWorker], self.run)(self.config, store)
        return partial(cast(UnitFunction, self.run), config=self.config, store=store)


def digest(value: Any) -> str:
    """Returns the SHA-256 of a value's canonical JSON, in hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
