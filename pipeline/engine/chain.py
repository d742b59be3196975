"""Checks that the schemas of consecutive stages fit, and determines the columns that are passed between them."""

from collections.abc import Sequence

import pyarrow as pa

from schemas.stage import Stage
from schemas.tables import REJECT

# A rejected row is passed on to the end of the chain, so that every unit is counted exactly once.
REJECTED = pa.field("reject", pa.struct(list(REJECT)))


class ChainError(ValueError):
    """The schemas of stages do not fit. The message names the stage, the column and the remedy."""


def chain(inputs: pa.Schema, stages: Sequence[Stage], passthrough: Sequence[str] = ()) -> list[pa.Schema]:
    """Returns the schemas of the rows between stages: entry i is the input of stage i, the last one leaves the chain.

    Columns that no later stage reads and that are not in `passthrough` are removed, so large ones are not passed on by
    accident. `<stage>_unit`, the path of a stage's unit, is always kept, since tables are gathered from it.

    Raises:
        ChainError: a stage reads a column that no earlier one writes, or with another type.
    """
    available = [pa.schema([*inputs, REJECTED])]
    for stage in stages:
        _check(stage, available[-1])
        available.append(_after(stage, available[-1]))
    passed = []
    for i, schema in enumerate(available):
        wanted = {name for stage in stages[i:] for name in stage.reads.names}
        wanted |= {f"{stage.name}_unit" for stage in stages[:i]} | set(passthrough) | {"reject", "video_id", "name"}
        passed.append(pa.schema([field for field in schema if field.name in wanted]))
    missing = set(passthrough) - set(available[-1].names)
    if missing:
        raise ChainError(f"passthrough = {sorted(missing)}: no stage writes it; have {', '.join(available[-1].names)}")
    return passed


def _after(stage: Stage, schema: pa.Schema) -> pa.Schema:
    fields = {field.name: field for field in schema}
    if stage.emits == "rows":
        fields |= {field.name: field for field in stage.writes or ()}
    fields[f"{stage.name}_unit"] = pa.field(f"{stage.name}_unit", pa.string())
    return pa.schema(list(fields.values()))


def _check(stage: Stage, schema: pa.Schema) -> None:
    for field in stage.reads:
        if field.name not in schema.names:
            raise ChainError(
                f"stage {stage.name!r} reads column {field.name!r}, which nothing before it writes; "
                f"have: {', '.join(schema.names)}. Put the stage that writes it earlier in the chain."
            )
        if schema.field(field.name).type != field.type:
            raise ChainError(
                f"stage {stage.name!r} reads column {field.name!r} as {field.type}, but it comes as "
                f"{schema.field(field.name).type}. Make the two schemas agree."
            )
