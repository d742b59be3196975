"""What a stage declares about itself. Stages are data: the engine gives them units and commits what they yield."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, cast

import numpy as np
import pyarrow as pa

from schemas.config import StageConfig
from schemas.rows import Row

FanOut = Literal["1:1", "1:N", "N:1"]
Output = Iterator[pa.Table] | dict[str, np.ndarray]


class UnitFunction(Protocol):
    """A stage without state: called for each unit, in any process."""

    def __call__(self, unit: Any, config: Any, store: Any) -> Output:
        """Makes one unit."""


class UnitWorker(Protocol):
    """A stage with state that is worth keeping (weights, a sandbox): constructed once per process."""

    def __init__(self, config: Any, store: Any) -> None: ...

    def __call__(self, unit: Any) -> Output:
        """Makes one unit."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage.

    `run` gets a dict of the columns in `reads`, and `unit_path`, the path of the unit's file. It yields Arrow tables of
    the schema `writes`; or, where `writes` is None, returns one dict of named tensors. It raises
    `schemas.rejects.Reject` for a unit that cannot be made. Its output depends on nothing but its config and the unit:
    never on the clock, on chance without a seed, on the number of workers or on the units before.
    """

    name: str
    reads: pa.Schema
    writes: pa.Schema | None
    run: UnitFunction | type[UnitWorker]
    config: StageConfig
    emits: Literal["rows", "unit"]
    """What leaves the stage: each row of the unit, or the row that the unit was made of. Both get the column
    `<name>_unit`, the unit's path."""
    cache_key_excludes: tuple[str, ...] = ()
    """Columns of `reads` that say where a thing is, not what it is: they do not decide the unit's path."""
    kind: Literal["video", "segment", "shard", "corpus"] = "video"
    """What a unit is made for."""
    fan_out: FanOut = "1:1"
    """Set by the list of stages, `pipeline.phases.PHASES`."""
    is_complete: Callable[[Row, Any], bool] | None = None
    """For a stage that writes beside its unit: `(unit, store)`, whether what it wrote there is complete, too."""
    section: str = ""
    """Of the recipe that its config is a part of, where that has another name than the stage."""
    version: int = 1
    """Raised when the code changes what it writes."""

    @property
    def suffix(self) -> str:
        """The suffix of its units' files."""
        return ".parquet" if self.writes is not None else ".safetensors"

    @property
    def is_actor(self) -> bool:
        """Whether `run` is a class, whose instances the engine keeps in actors; functions run in tasks."""
        return inspect.isclass(self.run)

    def unit_path(self, unit: Row) -> str:
        """Path of a unit's file in the corpus: a hash of the config, and a hash of what is read."""
        settings = digest([self.name, self.version, self.config.cache_key()])
        inputs = digest([unit[name] for name in self.reads.names if name not in self.cache_key_excludes])
        return f"units/{self.name}/{settings[:12]}/{inputs[:2]}/{inputs[:24]}{self.suffix}"

    def make(self, store: Any) -> Callable[[Row], Output]:
        """`run` for units of one corpus: a worker, constructed now, or the function with its other arguments."""
        if self.is_actor:
            return cast(type[UnitWorker], self.run)(self.config, store)
        return partial(cast(UnitFunction, self.run), config=self.config, store=store)


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, in hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
