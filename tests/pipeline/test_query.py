"""What `longvid query` prints: exact as CSV and JSON, and never more than text on a terminal."""

import csv
import io
import json
import math
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.query import SHOWN_ROWS, query
from pipeline.tables.catalog import CatalogError
from pipeline.tables.closed_duckdb import SqlError
from schemas.tables import TABLES
from tests.pipeline.command_line import ROOT, run
from workers.storage.store import Store

SAMPLES = pa.table(
    {
        "qa_id": ["a", "b", "c"],
        "task": ["captioning", "captioning", "event_counting"],
        "flags": [[], ["short"], []],
        "num_frames": pa.array([3, None, 5], pa.int32()),
    }
)


@pytest.fixture
def corpus(tmp_path) -> str:
    Store(tmp_path).write_tables("tables/samples.parquet", [SAMPLES], SAMPLES.schema)
    return str(tmp_path)


def asked(corpus: str, sql: str, format: str = "csv", **options) -> str:
    file = io.StringIO()
    query(corpus, sql, format=format, file=file, **options)
    return file.getvalue()


def test_csv_and_json_are_exact(corpus):
    sql = "select qa_id, flags, num_frames from samples order by 1"
    rows = list(csv.reader(io.StringIO(asked(corpus, sql, "csv"))))
    assert rows == [["qa_id", "flags", "num_frames"], ["a", "[]", "3"], ["b", '["short"]', ""], ["c", "[]", "5"]]
    found = json.loads(asked(corpus, sql, "json"))
    assert found == SAMPLES.select(["qa_id", "flags", "num_frames"]).to_pylist()
    assert json.loads(asked(corpus, "select * from samples where false", "json")) == []


def refuse_constants(constant: str):
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("select 1 as a, 2 as a, 3 as a_1, 4 as a", {"a": 1, "a_2": 2, "a_1": 3, "a_3": 4}),
        ("select 'nan'::double as a, ['inf'::float, 1] as b", {"a": None, "b": [None, 1.0]}),
        ("select {'x': 'nan'::double} as a, map {2: 1.5} as b", {"a": {"x": None}, "b": [[2, 1.5]]}),
        ("select sum(num_frames) as a, 1.25::decimal(9, 2) as b from samples", {"a": 8, "b": 1.25}),
        ("select 'é\u4e2d' || chr(27) || chr(155) || chr(10) as a", {"a": "é\u4e2d\x1b\x9b\n"}),
        ("select date '2024-02-29' as a, true as b, null as c", {"a": "2024-02-29", "b": True, "c": None}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_json_is_json_whatever_the_values(corpus, sql, row, encoding):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    query(corpus, sql, format="json", file=file)
    file.seek(0)
    text = file.read()
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert json.loads(text, parse_constant=refuse_constants) == [row]


def test_a_pivot_is_a_query(corpus):
    found = json.loads(asked(corpus, "pivot samples on task using count(*) group by flags", "json"))
    assert {row["captioning"] for row in found} == {1}


def test_table_shows_rows_and_says_what_it_leaves_out(corpus):
    shown = asked(corpus, "select task, count(*) as pairs from samples group by 1 order by 1", "table")
    assert "captioning" in shown
    assert "pairs" in shown
    long = asked(corpus, f"select * from range({SHOWN_ROWS + 7})", "table")
    assert f"{SHOWN_ROWS} of {SHOWN_ROWS + 7} rows" in long
    assert f" {SHOWN_ROWS - 1} " in long
    assert f" {SHOWN_ROWS} " not in long.replace(f"{SHOWN_ROWS} of", "")


def test_untrusted_text_reaches_the_terminal_as_text(corpus):
    shown = asked(corpus, "select '[red] [/b] :cat:' || chr(27) || '[2J' as \"[bold]x\"", "table")
    assert "[red] [/b] :cat:\\x1b[2J" in shown
    assert "[bold]x" in shown
    assert "\x1b[2J" not in shown


def test_csv_on_a_terminal_is_printable_and_in_a_file_exact(corpus):
    sql = "select chr(27) || '[2J' as a"
    assert asked(corpus, sql) == "a\n\x1b[2J\n"
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        query(corpus, sql, format="csv", file=terminal)
        terminal.flush()
        assert os.read(ours, 100) == b"a\r\n\\x1b[2J\r\n"
    os.close(ours)


def test_safe_csv_guards_what_a_spreadsheet_would_run(corpus):
    values = "'=1+1' as a, '+1' as b, '-1' as c, '@x' as d, chr(9) || '=1' as e, 'a=1' as f, -1 as g, '' as h"
    sql = f'select {values}, 1 as "=i"'
    exact, safe = (list(csv.reader(io.StringIO(asked(corpus, sql, safe_csv=safe)))) for safe in (False, True))
    assert exact == [[*"abcdefgh", "=i"], ["=1+1", "+1", "-1", "@x", "\t=1", "a=1", "-1", "", "1"]]
    assert safe == [[*"abcdefgh", "'=i"], ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "a=1", "-1", "", "1"]]
    assert math.prod(map(len, safe)) == 81


@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_output_of_a_terminal_that_is_not_utf_8(corpus, format):
    command = [sys.executable, "-m", "pipeline", "query", corpus, "select 'né \u4e2d' as a", "--format", format]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert shown.returncode == 0, shown.stderr
    text = shown.stdout.decode("latin-1")
    assert (json.loads(text)[0]["a"] == "né \u4e2d") if format == "json" else ("né \\u4e2d" in text)


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("select * from nope", CatalogError, "no table 'nope'; there are: samples"),
        ("select tusk from samples", CatalogError, "task"),
        ("selec 1", CatalogError, "syntax error"),
        ("select qa_id::int from samples", CatalogError, "Could not convert"),
        ("select date '290000-01-01'", CatalogError, "cast its columns to varchar"),
        ("select ?", CatalogError, "parameters"),
        ("select 1; select 2", SqlError, "one query"),
        ("copy samples to 'x.csv'", SqlError, "one query.*found: COPY"),
        ("explain analyze copy samples to 'x.csv'", SqlError, "one query"),
        ("", SqlError, "found: nothing"),
        ("select * from read_csv('/etc/hosts')", CatalogError, "Permission"),
        ("select * from SAMPLES", None, ""),
        ("select * from SAMPLES_TABLE", CatalogError, "no table"),
    ],
)
def test_what_cannot_be_asked_is_told(corpus, sql, error, message):
    if error is None:
        assert asked(corpus, sql)
    else:
        with pytest.raises(error, match=message):
            asked(corpus, sql)


@pytest.mark.parametrize("format", ["xml", ""])
def test_an_unknown_format_is_refused(corpus, format):
    with pytest.raises(CatalogError, match="table, csv, json"):
        query(corpus, "select 1", format=format)


def test_the_help_lists_every_table(capsys):
    assert run("query", "--help") == 0
    shown = capsys.readouterr().out
    assert [name for name in TABLES if name not in shown] == []


def test_a_reader_that_has_seen_enough_ends_it_quietly(corpus):
    code = "import sys; from pipeline.query import query; query(sys.argv[1], sys.argv[2], format='csv')"
    with subprocess.Popen(
        [sys.executable, "-c", code, corpus, "select * from range(300000)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "range\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(300) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_an_error(corpus):
    command = [sys.executable, "-m", "pipeline", "query", corpus, "select 1 as one", "--format", "csv"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("words", [["query", "CORPUS", "select 1", "--format", "csv"], ["config"]], ids=" ".join)
def test_a_closed_output_is_no_error(corpus, words):
    command = [sys.executable, "-m", "pipeline", *(corpus if word == "CORPUS" else word for word in words)]
    done = subprocess.run(["bash", "-c", 'exec "$@" >&-', "-", *command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")
