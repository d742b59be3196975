"""Checks that each stage reads what those before it write, and finds the columns that travel between them."""

from collections.abc import Sequence

import pyarrow as pa

from schemas.stage import Stage
from schemas.tables import REJECT

# A row that was rejected travels on to the end of the chain, so that every unit is accounted for exactly once.
REJECTED = pa.field("reject", pa.struct(list(REJECT)))


class ChainError(ValueError):
    """Stages that do not fit each other. The message names the stage, the column and the remedy."""


def chain(inputs: pa.Schema, stages: Sequence[Stage], passthrough: Sequence[str] = ()) -> list[pa.Schema]:
    """Schemas of the rows between stages: entry i enters stage i, the last one leaves the chain.

    A column that no later stage reads and that is not in `passthrough` vanishes; so heavy ones never travel by
    accident.
    `<stage>_unit`, the path of a stage's unit, is always kept: tables are compacted from it.
    """
    available = [pa.schema([*inputs, REJECTED])]
    for stage in stages:
        _check(stage, available[-1])
        available.append(_after(stage, available[-1]))
    travelling = []
    for i, schema in enumerate(available):
        wanted = {name for stage in stages[i:] for name in stage.reads.names}
        wanted |= {f"{stage.name}_unit" for stage in stages[:i]} | set(passthrough) | {"reject", "video_id", "name"}
        travelling.append(pa.schema([field for field in schema if field.name in wanted]))
    missing = set(passthrough) - set(available[-1].names)
    if missing:
        raise ChainError(f"passthrough = {sorted(missing)}: no stage writes it; have {', '.join(available[-1].names)}")
    return travelling


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
