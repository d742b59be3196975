"""The table `samples` as it comes back from whatever filtered it: polars, pandas, DuckDB, PyArrow."""

from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.config import ConfigError
from schemas.tables.shards import SAMPLE
from workers.storage.store import Store

_MAY_BE_NULL = ("clips_offset", "clips_bytes")


def typed_samples(samples: Any, columns: Collection[str]) -> pa.Table:
    """Returns some columns of a table of samples with the types of SAMPLE.

    Args:
        samples: a PyArrow table, or what `pyarrow.table` takes: a data frame of pandas or polars, for example.
        columns: names, of SAMPLE.

    Raises:
        ConfigError: a column is missing, has nulls, or values that its type cannot hold. The message names it.
    """
    table = samples if isinstance(samples, pa.Table) else pa.table(samples)
    if missing := [name for name in columns if table.column_names.count(name) != 1]:
        raise ConfigError(
            f"samples: there is no column, or more than one, {', '.join(map(repr, missing))}: keep it when you filter "
            "the table; where tables/samples.parquet has none, another version of longvid wrote it: build it again"
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
    if name == "duration_s" and not pc.all(_is_duration(column), min_count=0).as_py():
        raise ConfigError("samples: column 'duration_s' has values that are no durations: run `longvid verify`")
    return column


def _is_duration(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.and_(pc.is_finite(column), pc.greater_equal(column, 0))


def ordered_samples(samples: Any, split: str | None, store: Store, columns: Collection[str]) -> pa.Table:
    """Returns the samples of a split, ordered by video, group and row.

    Args:
        samples: a table as in `typed_samples`, or its path in the corpus.
        split: the split; None: all samples.
        store: store of the corpus.
        columns: columns to return, except `split`, which must be among them.

    Raises:
        ConfigError: the table cannot be read, the split has no samples, or as `typed_samples`.
    """
    table = typed_samples(_read(samples, store, columns) if isinstance(samples, str) else samples, columns)
    splits = pc.value_counts(table["split"]).to_pylist()
    if split is not None:
        table = table.filter(pc.equal(table["split"], split))
    if not table.num_rows:
        have = ", ".join(f"{s['values']} ({s['counts']})" for s in splits) or "none at all"
        raise ConfigError(f"split = {split!r}: no samples; there are: {have}")
    table = table.drop_columns("split")
    keys = ("video_id", "sample_key", "row")
    # pack writes it sorted, and sorting millions of strings takes seconds.
    return table if _is_sorted(table.select(keys)) else table.sort_by([(name, "ascending") for name in keys])


def _read(path: str, store: Store, columns: Collection[str]) -> pa.Table:
    try:
        return store.read_table(path, [*columns])
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:  # Arrow raises OSError for damaged pages
        told = str(error).strip().partition("\n")[0]
        raise ConfigError(f"{path}: cannot be read: {told}: `longvid verify` tells what is damaged") from error


def _is_sorted(keys: pa.Table) -> bool:
    former, latter = keys.slice(0, keys.num_rows - 1), keys.slice(1)
    ascends = pa.repeat(False, former.num_rows)
    for name in reversed(keys.column_names):
        less, same = pc.less(former[name], latter[name]), pc.equal(former[name], latter[name])
        ascends = pc.or_(less, pc.and_(same, ascends))
    return bool(pc.all(ascends, min_count=0).as_py())
