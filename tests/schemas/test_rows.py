"""The typed rows have the columns and types of their Arrow schemas."""

import types
from typing import Union, get_args, get_origin, get_type_hints, is_typeddict

import pyarrow as pa
import pytest

from schemas import rows
from schemas.tables import REJECT
from schemas.tables.qa import AUDIT, DROPPED, QA
from schemas.tables.shards import GROUP, GROUPING, SAMPLE, SELECTION
from schemas.tables.text import ANNOTATION, EVENT, LEFT_OUT, ORIGIN, PAIR_ORIGIN, SPAN, TIMED_TEXT

PYTHON = {
    pa.string(): str,
    pa.bool_(): bool,
    **dict.fromkeys((pa.int32(), pa.int64()), int),
    **dict.fromkeys((pa.float16(), pa.float32(), pa.float64()), float),
}
WHOLE = [
    (rows.RejectRow, REJECT),
    (rows.SpanRow, SPAN),
    (rows.TimedTextRow, TIMED_TEXT),
    (rows.OriginRow, ORIGIN),
    (rows.PairOriginRow, PAIR_ORIGIN),
    (rows.EventRow, EVENT),
    (rows.LeftOutRow, LEFT_OUT),
    (rows.AnnotationRow, ANNOTATION),
    (rows.QaRow, QA),
    (rows.AuditRow, AUDIT),
    (rows.DroppedRow, DROPPED),
    (rows.GroupRow, GROUP),
    (rows.GroupingRow, GROUPING),
]
PARTS = [(rows.Selected, SELECTION), (rows.SamplePlace, SAMPLE), (rows.ClipsPlace, SAMPLE)]


def check(hint, field: pa.Field) -> None:
    if get_origin(hint) in (Union, types.UnionType):
        assert field.nullable
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    if pa.types.is_list(field.type):
        assert get_origin(hint) is list
        check(*get_args(hint), field.type.value_field)
    elif pa.types.is_struct(field.type):
        assert is_typeddict(hint)
        check_row(hint, field.type)
    else:
        assert hint is PYTHON[field.type]


def check_row(row: type, schema: pa.Schema | pa.StructType, is_whole: bool = True) -> None:
    hints = get_type_hints(row)
    assert not is_whole or list(hints) == [field.name for field in schema]
    for name, hint in hints.items():
        check(hint, schema.field(name))


@pytest.mark.parametrize(("row", "schema"), [*WHOLE, *PARTS])
def test_a_row_is_typed_as_its_schema(row, schema):
    check_row(row, schema, is_whole=(row, schema) in WHOLE)


def test_every_typed_row_is_compared():
    assert {row for row, _ in (*WHOLE, *PARTS)} == {row for row in vars(rows).values() if is_typeddict(row)}
