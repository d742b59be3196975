"""A kept plan is used only while nothing that it depends on has changed."""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from pipeline import last_plan
from pipeline.stage_plan import StagePlan
from pipeline.tables.corpus_file import CORPUS
from tests.object_store import s3_corpus
from workers.storage.scratch import scratch_folder
from workers.storage.store import Store

UNIT = "units/decode/0123/ab/cdef.parquet"


class Scans:
    """Makes plans, each with another number of units, and counts them."""

    def __init__(self, *weights: Path) -> None:
        self.number = 0
        self.weights = [*map(str, weights)]

    def __call__(self) -> tuple[list[StagePlan], list[str]]:
        self.number += 1
        return [StagePlan("decode", self.number, 0, 1, 2, cost=Counter(calls=3), price=0.5, why="new")], self.weights


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    """A corpus whose files count as changed long ago."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(last_plan, "SETTLED_S", -3600)
    store = Store(tmp_path / "corpus")
    for path in (CORPUS, UNIT, "manifest.parquet"):
        store.write_bytes(path, b"old")
    return store


def test_the_plan_of_an_unchanged_corpus_is_made_once(store):
    scans = Scans()
    first = last_plan.last_plan(store, scans)
    assert last_plan.last_plan(Store(store.root), scans) == first
    assert scans.number == 1


def overwrite_with_the_same_size_and_time(store: Store) -> None:
    path = Path(store.full(UNIT))
    facts = path.stat()
    while path.stat().st_ctime_ns == facts.st_ctime_ns:  # not within one tick of the file system's clock
        with path.open("r+b") as file:
            file.write(b"new")
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.write_bytes(f"{UNIT}.reject.json", b"{}"),
        lambda store: store.write_bytes(UNIT, b"new"),
        lambda store: store.delete(UNIT),
        lambda store: store.write_bytes(CORPUS, b"new"),
        lambda store: Path(store.full("manifest.parquet")).rename(store.full("other.parquet")),
        overwrite_with_the_same_size_and_time,
    ],
    ids=["added", "replaced", "deleted", "recipe", "renamed", "in place"],
)
def test_a_change_of_any_file_makes_another(store, change):
    scans = Scans()
    last_plan.last_plan(store, scans)
    change(store)
    assert last_plan.last_plan(store, scans)[0].done == 2


def test_a_change_of_longvid_makes_another(store, tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    monkeypatch.setattr(last_plan, "_CODE", [tmp_path / "code"])
    scans = Scans()
    last_plan.last_plan(store, scans)
    (tmp_path / "code" / "stage.py").write_text("version = 2")
    assert last_plan.last_plan(store, scans)[0].done == 2


def test_a_change_of_weights_makes_another(store, tmp_path):
    weights, absent = tmp_path / "weights.safetensors", Scans(tmp_path / "absent")
    assert [last_plan.last_plan(store, absent)[0].done for _ in range(2)] == [1, 2], "it may appear"
    weights.write_bytes(b"old")
    scans = Scans(tmp_path, weights)
    assert [last_plan.last_plan(store, scans)[0].done for _ in range(2)] == [1, 1]
    weights.write_bytes(b"retrained")
    assert last_plan.last_plan(store, scans)[0].done == 2


def test_a_plan_is_not_kept_while_the_corpus_changes(store, monkeypatch):
    scans = Scans()

    def make() -> tuple[list[StagePlan], list[str]]:
        store.write_bytes(UNIT, b"made meanwhile")
        return scans()

    last_plan.last_plan(store, make)
    assert last_plan.last_plan(store, scans)[0].done == 2
    monkeypatch.setattr(last_plan, "SETTLED_S", 3600)  # the files are younger than that
    store.write_bytes(UNIT, b"new")
    assert [last_plan.last_plan(store, scans)[0].done for _ in range(2)] == [3, 4]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"listing": 1}', b"\xff"])
def test_a_damaged_kept_plan_is_made_anew(store, content):
    scans = Scans()
    last_plan.last_plan(store, scans)
    (kept,) = scratch_folder("plans").iterdir()
    kept.write_bytes(content)
    assert [last_plan.last_plan(store, scans)[0].done for _ in range(2)] == [2, 2]


def test_a_corpus_that_is_not_there_or_not_local_is_left_to_the_scan(tmp_path):
    scans = Scans()
    assert [last_plan.last_plan(Store(tmp_path / "absent"), scans)[0].done for _ in range(2)] == [1, 2]
    with s3_corpus() as corpus:
        assert [last_plan.last_plan(Store(corpus), scans)[0].done for _ in range(2)] == [3, 4]
