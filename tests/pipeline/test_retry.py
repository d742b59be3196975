"""Rejects that are given another try: chosen by a code or a condition in SQL; no other file is written."""

import json

import pyarrow as pa
import pytest

from pipeline.not_built import NotBuilt
from pipeline.report import show_rejects
from pipeline.retry import retry
from pipeline.tables.catalog import CatalogError
from pipeline.terminal import Terminal
from schemas.tables import REJECT
from tests.pipeline.command_line import run
from workers.storage.files import PathError
from workers.storage.store import Store

ROWS = [
    {"stage": "download", "reason": "unreachable", "attempts": 1, "path": "units/download/a.reject.json"},
    {"stage": "download", "reason": "not_found", "attempts": 3, "path": "units/download/b.reject.json"},
    {"stage": "decode", "reason": "not_found", "attempts": 1, "path": "units/decode/c.reject.json"},
    {"stage": "decode", "reason": "undecodable", "attempts": 1, "path": None},
]


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store(tmp_path)
    rejects = [{**dict.fromkeys(REJECT.names), **row} for row in ROWS]
    store.write_tables("tables/rejects.parquet", [pa.Table.from_pylist(rejects, REJECT)], REJECT)
    for row in ROWS:
        if row["path"]:
            store.write_json(row["path"], row)
    return store


def marked(store: Store) -> set[str]:
    return {path[-len("a.reject.json")] for path in store.files("units") if store.read_json(path).get("retry")}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"reason": "unreachable"}, "a"),
        ({"reason": "not_found"}, "bc"),
        ({"where": "stage = 'download' and attempts < 3"}, "a"),
        ({"where": "attempts = (select max(attempts) from rejects)"}, "b"),
        ({"where": "true -- all"}, "abc"),
        ({"where": "stage = 'annotate'"}, ""),
    ],
)
def test_chosen_rejects_are_marked(store, chosen, expected):
    assert retry(store.root, **chosen) == len(expected)
    assert marked(store) == {*expected}


@pytest.mark.parametrize(
    "where",
    [
        "",
        "stage =",
        "stag = 'download'",
        "true; copy rejects to '{path}'",
        "true) union all (select path from rejects",
        "true limit 1",
        "true, false",
        "stage = 'download' order by 1",
        "exists (from read_text('{path}'))",
        "(with x as (copy rejects to '{path}') select true)",
        "'text'",
        "select true",
        "true \0",
        "'\udc80' = stage",
    ],
)
def test_a_condition_that_is_none_is_one_line(store, where, capsys):
    path = store.full("tables/rejects.parquet")
    before = store.sha256("tables/rejects.parquet")
    assert run("retry", store.root, "--where", where.replace("{path}", path)) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert "Traceback" not in shown.err
    assert store.sha256("tables/rejects.parquet") == before
    assert marked(store) == set()


def test_status_lists_no_reject_that_is_marked_or_was_made_since(store, tmp_path, capsys):
    def shown() -> str:
        show_rejects(store.root, Terminal())
        return " ".join(capsys.readouterr().out.split())

    assert shown().count("not_found") == 2 and "not shown" not in shown()
    retry(store.root, where="stage = 'decode'")
    assert shown().count("not_found") == 1
    store.delete("units/download/a.reject.json")
    store.write_bytes("units/download/a", b"")
    assert "unreachable" not in shown()
    assert shown().endswith("2 rejects of the last build not shown: marked by longvid retry, or made since")
    assert "undecodable" in shown(), "a unit on which the code failed has no file"


def test_a_path_of_no_reject_is_listed(tmp_path, capsys):
    store = Store(tmp_path)
    paths = ["../../etc/x.reject.json", "units/a.reject.json", "tables/rejects.parquet"]
    rejects = [{**dict.fromkeys(REJECT.names), "stage": f"s{n}", "reason": "r", "path": p} for n, p in enumerate(paths)]
    store.write_tables("tables/rejects.parquet", [pa.Table.from_pylist(rejects, REJECT)], REJECT)
    store.write_bytes("units/a.reject.json", b"[]")
    show_rejects(store.root, Terminal())
    said = capsys.readouterr().out
    assert [f"s{n}" in said for n in range(3)] == [True] * 3 and "not shown" not in said


def test_an_unknown_reason_is_refused(store):
    with pytest.raises(CatalogError, match="reason = \"x' or 'a' = 'a\": use one of unreachable, not_found"):
        retry(store.root, reason="x' or 'a' = 'a")
    assert marked(store) == set()


def test_before_a_build_has_come_to_its_end(tmp_path):
    Store(tmp_path).write_json("corpus.json", {})
    with pytest.raises(NotBuilt, match="not built yet: run"):
        retry(str(tmp_path), reason="unreachable")


THEIRS = {"attempts": 1, "reason": "not_found"}


@pytest.mark.parametrize(
    "path", ["{}/theirs.reject.json", "units/../../theirs.reject.json", "units/out/theirs.reject.json", "corpus.json"]
)
def test_no_other_file_is_written(tmp_path, path):
    store = Store(tmp_path / "corpus")
    store.write_json("corpus.json", THEIRS)
    (tmp_path / "theirs.reject.json").write_text(json.dumps(THEIRS))
    (tmp_path / "corpus" / "units").mkdir()
    (tmp_path / "corpus" / "units" / "out").symlink_to(tmp_path)
    row = {"reason": "not_found", "path": path.format(tmp_path)}
    store.write_tables("tables/rejects.parquet", [pa.Table.from_pylist([row], REJECT)], REJECT)
    with pytest.raises(PathError):
        retry(store.root, reason="not_found")
    assert json.loads((tmp_path / "theirs.reject.json").read_text()) == THEIRS
    assert store.read_json("corpus.json") == THEIRS


@pytest.mark.parametrize("content", [b"[1, 2]", b"{", b"[" * 100_000 + b"]" * 100_000])
def test_a_reject_that_is_none_is_named_and_status_still_shows_the_others(store, content, capsys):
    store.write_bytes("units/download/a.reject.json", content)
    assert run("retry", store.root, "--reason", "unreachable") == 2
    assert "units/download/a.reject.json: damaged" in " ".join(capsys.readouterr().err.split())
    show_rejects(store.root, Terminal(width=200))
    assert "unreachable" in capsys.readouterr().out


def test_rejects_of_another_type_are_shown_as_text(store, capsys):
    odd = pa.table({"stage": [1], "reason": [None], "unit": [2.5], "detail": [["x"]], "path": [7]})
    store.write_tables("tables/rejects.parquet", [odd], odd.schema)
    show_rejects(store.root, Terminal(width=200))
    assert "2.5: ['x']" in capsys.readouterr().out
