"""The table `samples` as it comes back from whatever filtered it: polars, pandas, DuckDB, PyArrow."""

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from schemas.config import ConfigError
from schemas.tables.shards import SAMPLE

_MAY_BE_NULL = ("clips_offset", "clips_bytes")


def typed_samples(samples: Any, columns: Collection[str]) -> pa.Table:
    """Some columns of a table of samples, in the types that SAMPLE has for them.

    Args:
        samples: a PyArrow table, or what `pyarrow.table` takes: a data frame of pandas or polars, for example.
        columns: names, of SAMPLE.

    Raises:
        ConfigError: a column is missing, has nulls, or values that its type cannot hold. The message names it.
    """
    table = samples if isinstance(samples, pa.Table) else pa.table(samples)
    if missing := [name for name in columns if name not in table.column_names]:
        raise ConfigError(
            f"samples: there is no column {', '.join(map(repr, missing))}: keep it when you filter the table; where "
            "tables/samples.parquet has none, another version of longvid wrote it: build the corpus again"
        )
    return pa.table({name: _typed(table[name], name) for name in columns})


def _typed(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    wanted = SAMPLE.field(name).type
    if column.type != wanted:
        try:
            column = column.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ConfigError(
                f"samples: column {name!r} is {column.type} and must be {wanted}: {error}. A join may have left rows "
                "without a match: drop them, and cast the column"
            ) from None
    if column.null_count and name not in _MAY_BE_NULL:
        raise ConfigError(
            f"samples: column {name!r} is null in {column.null_count} of {len(column)} rows. A join may have left "
            "them without a match: drop them"
        )
    return column
