"""Checks that the tables of a corpus can be read, and that their columns have the types of their schemas."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from pipeline.tables.audited import QA_TABLE
from pipeline.tables.damage import damage_of, naming, read_through
from pipeline.tables.decoded import SEGMENT_TABLE, VIDEO_TABLE
from pipeline.tables.gather import SHOT_TABLE
from schemas.tables import REJECT
from schemas.tables.media import DUPLICATE, SEEN_FRAME
from schemas.tables.qa import CONTAMINATION, DROPPED, REVIEW
from schemas.tables.shards import SAMPLE, SELECTION, SHARD
from schemas.tables.text import EVENT
from workers.storage.store import Store

SCHEMAS = {
    "videos": VIDEO_TABLE,
    "segments": SEGMENT_TABLE,
    "shots": SHOT_TABLE,
    "duplicates": DUPLICATE,
    "events": EVENT,
    "qa": QA_TABLE,
    "dropped": DROPPED,
    "selections": SELECTION,
    "samples": SAMPLE,
    "shards": SHARD,
    "rejects": REJECT,
    "frames": SEEN_FRAME,
    "contamination": CONTAMINATION,
    "reviews": REVIEW,
}
"""By the name of the table, also of those of `schemas.table_names.BESIDE`."""
# What reads one of these types reads the others as well.
_SAME_KIND = (
    (types.is_string, types.is_large_string, types.is_string_view),
    (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view),
    (types.is_integer,),
    (types.is_floating,),
)
_LISTS = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view, types.is_large_list_view)


def table_problems(store: Store, *but: str) -> Iterator[str]:
    """Reads each existing table but some; yields a message for each that is damaged or has columns of other types."""
    there = (name for name in SCHEMAS if name not in but and store.exists(f"tables/{name}.parquet"))
    yield from filter(None, (table_problem(store, name) for name in there))


def table_problem(store: Store, name: str) -> str | None:
    """Returns what is wrong with a table, or None. A column may be missing: earlier versions had fewer."""
    path = f"tables/{name}.parquet"
    return damage_of(path, partial(read_through, store, path)) or type_problem(store, name)


def type_problem(store: Store, name: str) -> str | None:
    """Returns what is wrong with the column types of an existing table, of which only the schema is read; or None.

    Raises DamagedFile.
    """
    path = f"tables/{name}.parquet"
    with naming(path), store.open(path) as source:
        schema = pq.read_schema(source)
    found = dict(zip(schema.names, schema.types, strict=True))
    wrong = [
        f"{field.name!r} is {found[field.name]} and must be {field.type}"
        for field in SCHEMAS[name]
        if field.name in found and not _fits(found[field.name], field.type)
    ]
    return f"{path}: column {'; '.join(wrong)}. Get it from who published it, or build it again." if wrong else None


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a type holds the same values; other tools write longer lists, strings and numbers."""
    if types.is_dictionary(found):
        found = found.value_type
    if any(is_list(wanted) for is_list in _LISTS):
        return any(is_list(found) for is_list in _LISTS) and _fits(found.value_type, wanted.value_type)
    if types.is_struct(wanted):
        return types.is_struct(found) and all(
            _fits(found.field(field.name).type, field.type)
            for field in wanted
            if found.get_field_index(field.name) >= 0
        )
    kinds = [kinds for kinds in _SAME_KIND if any(is_kind(wanted) for is_kind in kinds)]
    return bool(found == wanted or any(is_kind(found) for kinds in kinds for is_kind in kinds))
