"""A corpus' tables under their names in DuckDB, nothing beyond them, and what is printed."""

import csv
import io
import json
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalog import SHOWN_ROWS, TABLES, CatalogError, open_catalog, query
from schemas.tables import VIDEO
from tests.object_store import s3_corpus
from workers.storage import Store

SAMPLES = pa.table(
    {
        "qa_id": ["a", "b", "c"],
        "task": ["captioning", "captioning", "event_counting"],
        "flags": [[], ["short"], []],
        "num_frames": pa.array([3, None, 5], pa.int32()),
    }
)


@pytest.fixture(params=["plain", 'it\'s [a] *corpus? "50%"'])
def corpus(tmp_path, request) -> str:
    folder = tmp_path / request.param
    Store(folder).write_tables("tables/samples.parquet", [SAMPLES], SAMPLES.schema)
    Store(folder).write_tables("tables/videos.parquet", [VIDEO.empty_table()], VIDEO)
    # What a glob in the folder's name would match as well.
    (tmp_path / "plain2").mkdir()
    return str(folder)


def asked(corpus: str, sql: str, format: str = "csv") -> str:
    file = io.StringIO()
    query(corpus, sql, format=format, file=file)
    return file.getvalue()


def test_every_table_has_a_view_and_those_not_made_yet_are_empty(corpus):
    with open_catalog(corpus) as catalog:
        for name in TABLES:
            (count,) = catalog.execute(f"select count(*) from {name}").fetchone()
            assert count == (3 if name == "samples" else 0)
        assert catalog.sql("select reason from rejects").columns == ["reason"]


def test_a_table_beside_the_known_ones_has_a_view_too(corpus):
    Store(corpus).write_tables('tables/my "own".parquet', [SAMPLES], SAMPLES.schema)
    assert asked(corpus, 'select count(*) as n from "my ""own"""') == "n\n3\n"


def test_csv_and_json_are_exact(corpus):
    sql = "select qa_id, flags, num_frames from samples order by 1"
    rows = list(csv.reader(io.StringIO(asked(corpus, sql, "csv"))))
    assert rows == [["qa_id", "flags", "num_frames"], ["a", "[]", "3"], ["b", '["short"]', ""], ["c", "[]", "5"]]
    found = json.loads(asked(corpus, sql, "json"))
    assert found == SAMPLES.select(["qa_id", "flags", "num_frames"]).to_pylist()
    assert json.loads(asked(corpus, "select * from samples where false", "json")) == []


def test_table_shows_rows_and_says_what_it_leaves_out(corpus):
    shown = asked(corpus, "select task, count(*) as pairs from samples group by 1 order by 1", "table")
    assert "captioning" in shown
    assert "pairs" in shown
    long = asked(corpus, f"select * from range({SHOWN_ROWS + 7})", "table")
    assert f"{SHOWN_ROWS} of {SHOWN_ROWS + 7} rows" in long
    assert f" {SHOWN_ROWS - 1} " in long
    assert f" {SHOWN_ROWS} " not in long.replace(f"{SHOWN_ROWS} of", "")


def test_strangers_text_reaches_the_terminal_as_text(corpus):
    shown = asked(corpus, "select '[red]' || chr(27) || '[2J' as text", "table")
    assert "[red]" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "select * from nope",
            "no table 'nope'; there are: duplicates, events, qa, rejects, samples, segments, selections, shots, videos",
        ),
        ("select tusk from samples", "task"),
        ("selec 1", "syntax error"),
        ("select 1; select 2", "one query"),
        ("", "one query"),
        ("copy samples to 'x.csv'", "one query"),
        ("create table x as select 1", "one query"),
        ("attach 'x.db' as y", "one query"),
        ("install httpfs", "one query"),
        ("set threads = 1", "one query"),
        ("select * from read_csv('/etc/hosts')", "Permission"),
        ("select * from 's3://bucket/x.parquet'", "disabled|httpfs"),
        ("select * from SAMPLES_TABLE", "no table"),
    ],
)
def test_what_cannot_be_asked_is_told(corpus, sql, message):
    with pytest.raises(CatalogError, match=message):
        asked(corpus, sql)


def test_the_connection_itself_reaches_no_other_file(corpus, tmp_path):
    pq.write_table(SAMPLES, tmp_path / "x.parquet")
    with open_catalog(corpus) as catalog:
        for sql in (
            f"copy (select 1) to '{tmp_path}/y.csv'",
            f"select * from '{tmp_path}/x.parquet'",
            "install httpfs",
            "load httpfs",
            "set enable_external_access = true",
            "set allowed_paths = []",
        ):
            with pytest.raises(duckdb.Error):
                catalog.execute(sql)
    assert not (tmp_path / "y.csv").exists()


def test_a_query_error_while_rows_come_is_told(corpus):
    with pytest.raises(CatalogError, match="Could not convert"):
        asked(corpus, "select qa_id::int from samples")


@pytest.mark.parametrize("format", ["xml", ""])
def test_an_unknown_format_is_refused(corpus, format):
    with pytest.raises(CatalogError, match="table, csv, json"):
        query(corpus, "select 1", format=format)


def test_no_corpus_is_told(tmp_path):
    with pytest.raises(CatalogError, match="no tables there"):
        open_catalog(str(tmp_path / "absent"))


def test_a_reader_that_has_seen_enough_ends_it_quietly(corpus):
    code = "import sys; from pipeline.catalog import query; query(sys.argv[1], sys.argv[2], format='csv')"
    with subprocess.Popen(
        [sys.executable, "-c", code, corpus, "select * from range(300000)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "range\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_a_corpus_in_an_object_store_needs_no_extension():
    with s3_corpus() as corpus:
        Store(corpus).write_tables("tables/samples.parquet", [SAMPLES], SAMPLES.schema)
        found = asked(corpus, "select task, count(*) as n from samples where num_frames > 3 group by 1")
        assert found == "task,n\nevent_counting,1\n"
        assert asked(corpus, "select count(*) as n from rejects") == "n\n0\n"
