"""A corpus' tables under their names in DuckDB, and nothing beyond them."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.not_built import NotBuilt
from pipeline.tables import catalog
from pipeline.tables.catalog import CatalogError, open_catalog
from schemas.tables.media import VIDEO
from tests.object_store import s3_corpus
from workers.storage.store import Store

SAMPLES = pa.table({"task": ["captioning", "captioning", "event_counting"], "num_frames": [3, None, 5]})


@pytest.fixture(params=[0, catalog.SMALL_BYTES], ids=["large", "small"], autouse=True)
def small_bytes(monkeypatch, request) -> None:
    """Every table is a large one, or a small one: DuckDB reads the two in different ways."""
    monkeypatch.setattr(catalog, "SMALL_BYTES", request.param)


@pytest.fixture(params=["plain", 'it\'s [a] *corpus? "50%"', "videos [1]"])
def corpus(tmp_path, request) -> str:
    folder = tmp_path / request.param
    Store(folder).write_tables("tables/samples.parquet", [SAMPLES], SAMPLES.schema)
    Store(folder).write_tables("tables/videos.parquet", [VIDEO.empty_table()], VIDEO)
    # What a pattern in the folder's name would match.
    for name in ("videos 1", 'it\'s a corpusx "50%"'):
        Store(tmp_path / name).write_tables("tables/samples.parquet", [SAMPLES, SAMPLES], SAMPLES.schema)
    return str(folder)


def test_every_table_that_is_built_has_a_view(corpus):
    Store(corpus).write_tables('tables/my "own".parquet', [SAMPLES], SAMPLES.schema)
    with open_catalog(corpus) as opened:
        assert opened.sql("select count(*) from samples").fetchall() == [(3,)]
        assert opened.sql("select count(*) from videos").fetchall() == [(0,)]
        assert opened.sql('select count(*) from "my ""own"""').fetchall() == [(3,)]


def test_one_that_is_not_built_yet_is_told_from_one_that_there_never_is(corpus):
    with (
        pytest.raises(NotBuilt, match=r"the table rejects: not built yet: run `longvid build"),
        open_catalog(corpus) as c,
    ):
        c.sql("select * from Rejects")
    with pytest.raises(CatalogError, match="no table 'nope'; there are: samples, videos"), open_catalog(corpus) as c:
        c.sql("select * from nope")
    with pytest.raises(CatalogError, match="not there yet: run `longvid decontaminate"), open_catalog(corpus) as c:
        c.sql("select * from contamination")


def test_a_column_of_a_type_that_duckdb_lacks_is_damage(corpus):
    odd = pa.table({"x": pa.nulls(1, pa.decimal256(70, 2))})
    Store(corpus).write_tables("tables/qa.parquet", [odd], odd.schema)
    with pytest.raises(CatalogError, match=r"tables/qa\.parquet: damaged .*Decimal"), open_catalog(corpus) as opened:
        opened.sql("select * from qa").fetchall()


def test_a_damaged_table_is_named(corpus):
    Store(corpus).write_bytes("tables/qa.parquet", b"PAR1 and no more")
    with pytest.raises(CatalogError, match=r"tables/qa.parquet: damaged .*run the build again"), open_catalog(corpus):
        pass


def test_a_table_with_a_damaged_page_is_named_without_a_traceback(corpus):
    data = bytearray(Store(corpus).read_bytes("tables/samples.parquet"))
    data[4:40] = bytes(36)
    Store(corpus).write_bytes("tables/samples.parquet", bytes(data))
    with pytest.raises(CatalogError) as raised, open_catalog(corpus) as c:
        c.sql("select min(task) from samples").fetchall()
    assert re.fullmatch(
        r"tables/samples.parquet: damaged \(.+\)\. Delete it and run the build again\.", str(raised.value)
    )


def test_a_table_may_be_read_twice_by_a_query(corpus):
    with open_catalog(corpus) as c:
        found = c.sql("select count(*), sum(b.num_frames) from samples a join samples b using (task)").fetchall()
    assert found == [(5, 11)]


def test_no_statement_writes_over_a_table(corpus):
    path = Store(corpus).full("tables/samples.parquet")
    literal = path.replace("'", "''")
    for sql in (f"copy (select 1) to '{literal}'", f"explain analyze copy (select 1) to '{literal}'"):
        with pytest.raises(CatalogError, match="Permission"), open_catalog(corpus) as opened:
            opened.execute(sql).fetchall()
    assert pq.read_table(pa.BufferReader(Store(corpus).read_bytes("tables/samples.parquet"))).equals(SAMPLES)


def test_no_corpus_is_told(tmp_path):
    with pytest.raises(NotBuilt, match="no corpus there: run"), open_catalog(str(tmp_path / "absent")):
        pass


def test_a_corpus_in_an_object_store_needs_no_extension():
    with s3_corpus() as corpus:
        Store(corpus).write_tables("tables/samples.parquet", [SAMPLES], SAMPLES.schema)
        with open_catalog(corpus) as opened:
            found = opened.sql("select task, count(*) from samples where num_frames > 3 group by 1").fetchall()
        assert found == [("event_counting", 1)]
