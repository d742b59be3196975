"""Connections that reach only what they are given, asked for single queries; no value is ever part of SQL text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from pipeline.tables.closed_duckdb import SqlError, connect, select

ROOT = Path(__file__).resolve().parents[3]
PETS = pa.table({"pet": ["cat", "dog", "dog"], "age": [3, 5, 7]})


@pytest.fixture
def database(tmp_path):
    """A connection that may open one folder, which holds pets.parquet, and knows the same table as `pets`."""
    folder = tmp_path / "it's [a] *folder?"
    folder.mkdir()
    pq.write_table(PETS, folder / "pets.parquet")
    pq.write_table(PETS, tmp_path / "outside.parquet")
    with connect(tmp_path / "spill", [folder], threads=1) as connection:
        connection.register("pets", pads.dataset(folder / "pets.parquet"))
        yield connection, folder


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select max(age) from pets", [(7,)]),
        ("from pets select age order by age limit 1;", [(3,)]),
        ("-- pets\nwith old as (select * from pets where age > 5) select pet /* one */ from old -- end", [("dog",)]),
        ("values (1)", [(1,)]),
        ("(select 1) union all (select 2) order by 1", [(1,), (2,)]),
        ("PIVOT pets ON pet USING sum(age)", [(3, 12)]),
        ("from (pivot pets on pet using sum(age))", [(3, 12)]),
        ("with p as (pivot pets on pet using sum(age)) select dog from p", [(12,)]),
        ("select name from (show tables)", [("pets",)]),
        ("select column_name from (describe pets)", [("pet",), ("age",)]),
        ("select 'é'", [("é",)]),
    ],
)
def test_a_query_is_answered(database, sql, rows):
    assert select(database[0], sql).fetchall() == rows


@pytest.mark.parametrize(
    "sql",
    [
        "explain select 1",
        "EXPLAIN ANALYZE select * from pets",
        "explain /* é */ analyze -- why\n from pets",
        "explain (analyze, format json) select 1",
        "explain (format json) (select 1)",
        "explain (select 1)",
        "explain analyze(select 1)",
        pytest.param(
            "explain pivot pets on pet using sum(age)",
            marks=pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 explains no PIVOT"),
        ),
    ],
)
def test_so_is_explain_of_one(database, sql):
    assert select(database[0], sql).fetchall()[0][0]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";",
        "-- nothing",
        "select 1; select 2",
        "select 1; copy pets to '{out}'",
        "copy pets to '{out}'",
        "copy (pivot pets on pet using sum(age)) to '{out}'",
        "create table x as pivot pets on pet using sum(age)",
        "create table x as select 1",
        "explain analyze copy pets to '{out}'",
        "explain copy pets to '{out}'",
        "explain (analyze) copy pets to '{out}'",
        "explain (analyze true, format json) copy pets to '{out}'",
        "explain analyze copy (pivot pets on pet using sum(age)) to '{out}'",
        "explain/* select */analyze/**/copy pets to '{out}'",
        "explain create table x(a int)",
        "attach '{out}' as x",
        "install httpfs",
        "load httpfs",
        "set threads = 1",
        "explain set threads = 1",
        "call pragma_version()",
        "checkpoint",
        "begin",
        "prepare x as select 1",
        "export database '{out}'",
        "pivot pets on pet using sum(age); copy pets to '{out}'",
        "selec 1",
        "select 1\0",
        "select '\ud800'",
    ],
)
def test_anything_else_is_refused_before_it_runs(database, tmp_path, sql):
    connection, folder = database
    for out in (tmp_path / "new", folder / "pets.parquet"):
        with pytest.raises((SqlError, duckdb.ParserException)):
            select(connection, sql.replace("{out}", str(out).replace("'", "''")))
    assert not (tmp_path / "new").exists()
    assert pq.read_table(folder / "pets.parquet").equals(PETS)


@pytest.mark.parametrize(
    "sql",
    [
        "with x as (copy pets to '{path}') select 1",
        "from read_parquet('{path}')",
        "from '{path}'",
        "from read_text('{path}')",
        "from read_blob('{path}')",
        "from glob('{path}')",
        "from sniff_csv('{path}')",
        "from parquet_metadata('{path}')",
        "from 's3://bucket/x.parquet'",
        "from 'https://example.org/x.parquet'",
    ],
)
def test_no_query_reaches_another_file(database, tmp_path, sql):
    connection, _ = database
    before = sorted(tmp_path.rglob("*"))
    for path in (tmp_path / "outside.parquet", tmp_path / "new.parquet", tmp_path / "it's [a] *folder?/../new.parquet"):
        with pytest.raises(duckdb.Error):
            select(connection, sql.replace("{path}", str(path).replace("'", "''"))).fetchall()
    assert pq.read_table(tmp_path / "outside.parquet").equals(PETS)
    assert sorted(tmp_path.rglob("*")) == before


def test_nor_does_the_connection_itself(database, tmp_path):
    connection, folder = database
    assert connection.read_parquet(str(folder / "pets.parquet")).count("*").fetchall() == [(3,)]
    for sql in (
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "set temp_directory = '/'",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(sql)


def test_a_value_is_a_parameter_whatever_it_holds(database):
    value = "x' or pet = 'cat"
    assert select(database[0], "select * from pets where pet = ?", [value]).fetchall() == []
    assert select(database[0], "select $word", {"word": value}).fetchall() == [(value,)]


# What DuckDB's Python API takes SQL text in, and the two ways of this project.
_CALLS = {
    "sql",
    "execute",
    "executemany",
    "query",
    "extract_statements",
    "from_query",
    "filter",
    "project",
    "aggregate",
}
_SQL = re.compile(
    r"(?is)\b(select\b.*\bfrom|from\s+\w+\s+(select|where|join)|copy\b.*\bto|create\s+(or\s+replace\s+)?(temp\s+)?(view|table)"
    r"|insert\s+into|attach\s|where\s+\w+\s*(=|in\b|is\b)|set\s+\w+\s*=)"
)


def composed_sql(tree: ast.AST) -> Iterator[int]:
    """Lines of functions in which a string is put together that is SQL, or is given to a call that takes SQL."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and _name(node.func) in {*_CALLS, "select"}:
                    yield from (a.lineno for a in [*node.args, *(k.value for k in node.keywords)] if _is_composed(a))
                elif _is_composed(node) and _SQL.search(_constants(node)):
                    yield node.lineno


def _is_composed(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in (node.left, node.right))
    return isinstance(node, ast.Call) and _name(node.func) in ("format", "join", "replace", "format_map")


def _name(function: ast.AST) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _constants(node: ast.AST) -> str:
    return " ".join(n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


@pytest.mark.parametrize(
    "line",
    [
        "db.sql(f'{x}')",
        "db.execute('set a = ' + x)",
        "select(db, 'from t where a = %s' % x)",
        "table.filter(f'a = {x}')",
        "sql = f'select a from {x}'",
        "sql = 'select a from {}'.format(x)",
        "sql = 'copy t to ' + x",
        'sql = f"create view {x} as select 1"',
    ],
)
def test_composed_sql_is_found(line):
    assert list(composed_sql(ast.parse(f"def f(db, x):\n    {line}"))) != []


def test_no_value_is_ever_part_of_sql_text():
    folders = ("pipeline", "stages", "workers", "model", "schemas", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = [f"{path.relative_to(ROOT)}:{line}" for path in files for line in composed_sql(ast.parse(path.read_text()))]
    assert found == []
