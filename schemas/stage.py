"""What a step declares about itself. Stages are data: compose gives them units and commits what they yield."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from schemas.config import StageConfig


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step.

    `run` is a function `(unit, config, store)` or a worker class, constructed once a process as `(config, store)` and
    called as `(unit)`. `unit` is a dict of the columns in `reads`, and `unit_path`, where its file will be. It yields
    Arrow tables of the schema `writes`; or, where `writes` is None, returns one dict of named tensors. It raises
    `schemas.rejects.Reject` for a unit that cannot be done. What it yields depends on nothing but its config and the
    unit: never on the clock, on chance without a seed, on worker count or on what it was given before.
    """

    name: str
    reads: pa.Schema
    writes: pa.Schema | None
    run: Callable
    config: StageConfig
    passes: Literal["rows", "path"]
    """What goes on: each row of the unit, or the row the unit was made of. Either has a column `<name>_unit`."""
    located_by: tuple[str, ...] = ()
    """Columns of `reads` that say where a thing is, not what it is: they don't decide the unit's path."""
    kind: str = "video"
    """What a unit is: video, segment or shard."""
    stands: Callable[[dict[str, Any], Any], bool] | None = None
    """For a stage that writes beside its unit: `(unit, store)`, whether that stands as the unit's file does."""
    section: str = ""
    """Of the recipe that its config is a part of, where that has another name than the stage."""
    version: int = 1
    """Raised when the code changes what it writes."""

    @property
    def suffix(self) -> str:
        return ".parquet" if self.writes is not None else ".safetensors"

    def unit_path(self, unit: dict[str, Any]) -> str:
        """Path of a unit's file in the corpus: a hash of the config, and a hash of what is read."""
        settings = digest([self.name, self.version, self.config.semantic()])
        inputs = digest([unit[name] for name in self.reads.names if name not in self.located_by])
        return f"units/{self.name}/{settings[:12]}/{inputs[:2]}/{inputs[:24]}{self.suffix}"


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, in hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
