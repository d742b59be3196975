"""The types of the entries in the list of stages, `pipeline.phases.PHASES`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa

from pipeline.phase_inputs import Context
from pipeline.tables.workspace import Workspace
from schemas.config import StageConfig
from schemas.stage import FanOut, Stage
from workers.fetch.access import Access


@dataclass(frozen=True)
class Listed:
    """Lists one stage. Cores, GPUs, memory and number of workers are `resources` of the stage's config."""

    name: str
    config: type[StageConfig]
    reads: str
    writes: str
    fan_out: FanOut
    """Number of output rows per input row."""
    runs_on: Literal["tasks", "actors"]
    why: str
    declare: Callable[..., Stage]
    """Declares the stage from `(config)` or, with `opens_addresses`, from `(config, access)`."""
    section: str = ""
    """Section of the recipe that contains its config, if that has another name than the stage."""
    opens_addresses: bool = False
    """Whether the stage opens addresses of the manifest."""
    annotators: tuple[str, ...] = ()
    """The stage runs only if `annotate.annotators` contains one of these; empty: always."""

    def stage(self, config: StageConfig, access: Access | None) -> Stage:
        """Declares the stage with a config. Without `access`, it opens no address of a manifest."""
        declared = self.declare(config, access) if self.opens_addresses else self.declare(config)
        return replace(declared, fan_out=self.fan_out)


@dataclass(frozen=True)
class ListedPhase:
    """Lists one phase."""

    name: str
    after: str
    """The phase whose units are its inputs."""
    schema: pa.Schema
    """Schema of the input rows."""
    inputs: Callable[[Context, Workspace], Iterator[pa.Table]]
    passthrough: list[str]
    """Columns of its stages that later phases and tables need."""
    stages: list[Listed]
