"""Tables of samples that other libraries gave back are read, or the column is named."""

import duckdb
import pyarrow as pa
import pytest

from schemas.config import ConfigError
from schemas.tables.shards import SAMPLE
from tests.workers.shards.shard_units import pack, write_video
from workers.shards.reader import ShardReader
from workers.shards.sample_reader import CLIP_COLUMNS, COLUMNS
from workers.shards.samples_table import typed_samples
from workers.storage.store import Store

ALL = [*COLUMNS, *CLIP_COLUMNS]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("corpus"))
    return store, pack(store, [write_video(store, n, clips=bool(n % 2)) for n in range(3)], val_fraction=0.0)


def retyped(table: pa.Table, **types: pa.DataType) -> pa.Table:
    fields = [pa.field(f.name, types.get(str(f.type), f.type)) for f in table.schema]
    return pa.table([column.cast(f.type) for column, f in zip(table.columns, fields, strict=True)], pa.schema(fields))


OTHER_TYPES = {
    "string_view": {"string": pa.string_view()},
    "large_string": {"string": pa.large_string()},
    "dictionary": {"string": pa.dictionary(pa.int32(), pa.string())},
    "floats": {"int64": pa.float64(), "int32": pa.float32()},
    "unsigned": {"int64": pa.uint64(), "int32": pa.uint8()},
}


@pytest.mark.parametrize("types", OTHER_TYPES.values(), ids=OTHER_TYPES)
def test_other_types_are_cast(corpus, types):
    store, samples = corpus
    returned = retyped(samples.select(ALL), **types)
    assert typed_samples(returned, ALL) == samples.select(ALL)
    assert len(list(ShardReader(store, returned, clips=True))) == samples.num_rows


def test_pandas_and_duckdb(corpus):
    _, samples = corpus
    assert typed_samples(samples.to_pandas(), ALL) == samples.select(ALL)
    assert typed_samples(duckdb.sql("select * from samples").to_arrow_table(), ALL) == samples.select(ALL)


def test_a_join_without_matches_names_the_column(corpus):
    _, samples = corpus
    labels = pa.table({"qa_id": [*samples["qa_id"].to_pylist(), "of another corpus"]})
    for joined in (
        labels.to_pandas().merge(samples.to_pandas(), how="left", on="qa_id"),
        duckdb.sql("select * from labels left join samples using (qa_id)").to_arrow_table(),
    ):
        with pytest.raises(ConfigError, match=r"samples: column '\w+' is .*without a match"):
            typed_samples(joined, COLUMNS)


@pytest.mark.parametrize("values", [[0.5], [float("nan")], ["x"], [1 << 40], [None], [{"a": 1}]])
def test_what_a_column_cannot_hold_names_it(corpus, values):
    _, samples = corpus
    one = samples.slice(0, 1).select(COLUMNS)
    column = one.schema.get_field_index("row")
    with pytest.raises(ConfigError, match="samples: column 'row' is"):
        typed_samples(one.set_column(column, "row", pa.array(values)), COLUMNS)


@pytest.mark.parametrize("duration_s", [float("nan"), float("inf"), -1.0])
def test_what_is_no_duration_is_named(corpus, duration_s):
    _, samples = corpus
    one = samples.slice(0, 1).select(COLUMNS)
    column = one.schema.get_field_index("duration_s")
    with pytest.raises(ConfigError, match="samples: column 'duration_s'"):
        typed_samples(one.set_column(column, "duration_s", pa.array([duration_s])), COLUMNS)


def test_a_missing_column_is_named(corpus):
    _, samples = corpus
    with pytest.raises(ConfigError, match="there is no column, or more than one, 'shard', 'sample_key'"):
        typed_samples(samples.drop_columns(["shard", "sample_key"]), COLUMNS)


@pytest.mark.parametrize("damage", ["no Parquet", "a page", "footer"])
def test_a_damaged_table_is_named(corpus, tmp_path, damage):
    store, samples = Store(tmp_path), corpus[1]
    store.write_tables("tables/samples.parquet", [samples], SAMPLE)
    path = tmp_path / "tables/samples.parquet"
    content = bytearray(path.read_bytes())
    content[{"no Parquet": 0, "a page": len(content) // 2, "footer": -6}[damage]] ^= 0xFF
    path.write_bytes(b"no table" if damage == "no Parquet" else content)
    with pytest.raises(ConfigError, match=r"^tables/samples\.parquet: cannot be read: "):
        ShardReader(store)


def test_only_columns_of_the_schema_are_read():
    assert {*ALL} <= {*SAMPLE.names}
