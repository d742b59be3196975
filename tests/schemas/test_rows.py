"""The typed rows have the columns and types of their Arrow schemas."""

import types
from typing import Union, get_args, get_origin, get_type_hints, is_typeddict

import pyarrow as pa
import pytest

from schemas.rows import ClipsPlace, GroupingRow, RejectRow, SamplePlace
from schemas.tables import REJECT
from schemas.tables.shards import GROUPING, SAMPLE

PYTHON = {pa.string(): str, pa.int32(): int, pa.int64(): int, pa.float64(): float, pa.bool_(): bool}


def check(hint, arrow: pa.DataType) -> None:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    if pa.types.is_list(arrow):
        assert get_origin(hint) is list
        check(*get_args(hint), arrow.value_type)
    elif pa.types.is_struct(arrow):
        assert is_typeddict(hint)
        hints = get_type_hints(hint)
        assert list(hints) == [field.name for field in arrow]
        for field in arrow:
            check(hints[field.name], field.type)
    else:
        assert hint is PYTHON[arrow]


@pytest.mark.parametrize(
    ("row", "schema"),
    [(RejectRow, REJECT), (GroupingRow, GROUPING), (SamplePlace, SAMPLE), (ClipsPlace, SAMPLE)],
)
def test_a_row_is_typed_as_its_schema(row, schema):
    hints = get_type_hints(row)
    if schema is not SAMPLE:
        assert list(hints) == schema.names
    for name, hint in hints.items():
        check(hint, schema.field(name).type)
