"""Tables of a corpus whose columns have other types are named, in one line each."""

import pyarrow as pa
import pytest

from pipeline.tables.column_types import SCHEMAS, table_problem, table_problems
from pipeline.verify import verify
from schemas.table_names import BESIDE, TABLES
from tests.pipeline.published_tables import pair, video, write_corpus
from workers.storage.store import Store


@pytest.fixture
def store(tmp_path) -> Store:
    store = write_corpus(tmp_path, [video("a")], [pair("a", 1)])
    for name, schema in SCHEMAS.items():
        if not store.exists(f"tables/{name}.parquet"):
            store.write_tables(f"tables/{name}.parquet", [], schema)
    return store


def rewrite(store, name, column, type_):
    path = f"tables/{name}.parquet"
    table = store.read_table(path)
    at = table.schema.get_field_index(column)
    table = table.set_column(at, column, pa.nulls(table.num_rows, type_))
    store.write_tables(path, [table], table.schema)


def test_each_table_has_a_schema(store):
    assert SCHEMAS.keys() == {*TABLES, *BESIDE}
    assert not [*table_problems(store)]


@pytest.mark.parametrize(
    ("name", "column", "type_", "said"),
    [
        ("videos", "duration_s", pa.string(), "'duration_s' is string and must be double"),
        ("events", "start_s", pa.int64(), "'start_s' is int64 and must be double"),
        ("qa", "options", pa.string(), "'options' is string and must be list<"),
        ("qa", "options", pa.list_(pa.int32()), "'options' is list<"),
        ("qa", "evidence", pa.list_(pa.struct([("start_s", pa.string())])), "'evidence' is list<"),
        ("rejects", "attempts", pa.float64(), "'attempts' is double and must be int32"),
        ("frames", "time_s", pa.binary(), "'time_s' is binary and must be double"),
    ],
)
def test_a_column_of_another_type_is_named_in_one_line(store, name, column, type_, said):
    rewrite(store, name, column, type_)
    [problem] = table_problems(store)
    assert problem.startswith(f"tables/{name}.parquet: column {said}") and "\n" not in problem
    assert problem in verify(store.root).problems


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        ("question", pa.large_string()),
        ("question", pa.dictionary(pa.int32(), pa.string())),
        ("options", pa.large_list(pa.large_string())),
        ("hops", pa.int64()),
        ("evidence", pa.list_(pa.struct([("end_s", pa.float32())]))),
    ],
)
def test_types_that_other_tools_write_are_no_problem(store, column, type_):
    rewrite(store, "qa", column, type_)
    assert not [*table_problems(store)]


def test_a_column_that_an_earlier_version_did_not_have_is_no_problem(store):
    table = store.read_table("tables/qa.parquet").drop_columns(["share_alike"])
    store.write_tables("tables/qa.parquet", [table], table.schema)
    assert table_problem(store, "qa") is None


def test_a_table_that_cannot_be_read_is_named(store):
    store.write_bytes("tables/events.parquet", b"PAR1 is not all")
    assert table_problem(store, "events").startswith("tables/events.parquet: damaged (")
