"""The state of a unit is read off its files, and a runner makes only what is missing."""

from dataclasses import replace

import pyarrow as pa
import pytest

from pipeline.engine.chain import chain
from pipeline.engine.committed import Committed, State
from pipeline.engine.crash_counter import CrashCounter
from pipeline.engine.unit_runner import UnitRunner
from pipeline.tables.damage import DamagedFile
from tests.pipeline import toy
from workers.storage.store import Store

ROW = {"video_id": "v", "name": "n", "text": "a b", "reject": None}


@pytest.fixture
def committed(tmp_path) -> Committed:
    stages = toy.stages()
    return Committed(stages[0], Store(tmp_path), chain(toy.TEXTS, stages)[1])


def run(committed: Committed, row: dict) -> list[dict]:
    return list(UnitRunner(committed, CrashCounter(committed.store, "run")).run(row))


def test_a_unit_is_missing_then_done(committed):
    assert committed.find(ROW).state is State.MISSING
    first, second = run(committed, ROW)
    assert committed.find(ROW).state is State.DONE
    assert (first["word"], first["outcomes"]) == ("a", ["split done"])
    assert (second["word"], second["outcomes"]) == ("b", [])
    assert [row["outcomes"] for row in run(committed, ROW)] == [["split kept"], []]


def test_a_unit_whose_other_files_are_gone_is_missing(committed):
    run(committed, ROW)
    lost = replace(committed, stage=replace(committed.stage, is_complete=lambda unit, store: False))
    assert lost.find(ROW).state is State.MISSING


def test_a_reject_stays_until_it_is_to_be_tried_again(committed):
    row = {**ROW, "text": ""}
    (left,) = run(committed, row)
    assert (left["reject"]["reason"], left["reject"]["attempts"], left["outcomes"]) == (
        "empty_file",
        1,
        ["split rejected"],
    )
    found = committed.find(row)
    assert found.state is State.REJECTED
    assert found.reject == left["reject"]
    path = found.reject["path"]
    committed.store.write_json(path, committed.store.read_json(path) | {"retry": True})
    found = committed.find(row)
    assert (found.state, found.attempts) == (State.MISSING, 1)
    (left,) = run(committed, row)
    assert left["reject"]["attempts"] == 2


@pytest.mark.parametrize(
    "damage",
    [{"attempts": "1"}, {"attempts": 1 << 31}, {"reason": ["a"]}, {"detail": None}, {"name": "\ud800"}],
    ids=lambda damage: min(damage),
)
def test_a_reject_that_no_build_wrote_leaves_its_unit_missing(committed, damage):
    row = {**ROW, "text": ""}
    (left,) = run(committed, row)
    store, path = committed.store, left["reject"]["path"]
    whole = store.read_json(path)
    for reject in ({**whole, **damage}, {**whole, "retry": True, **damage}):
        store.write_json(path, reject)
        assert committed.find(row).state is State.MISSING
    for text in (b"[]", b"{", b"{}", b"[" * 100_000):
        store.write_bytes(path, text)
        assert committed.find(row).state is State.MISSING


@pytest.mark.parametrize(
    "table", [pa.table({"x": [1]}), pa.table({"segment_id": ["s"], "word": [[1]]})], ids=["columns", "types"]
)
def test_a_unit_that_its_stage_did_not_write_is_named(committed, table):
    run(committed, ROW)
    path = committed.find(ROW).unit["unit_path"]
    committed.store.write_tables(path, [table], table.schema)
    with pytest.raises(DamagedFile, match=f"{path}: damaged .* Delete it and run the build again"):
        list(committed.emit(ROW, path))


def test_a_unit_of_which_the_stage_cannot_tell_whether_it_is_whole_is_named(committed):
    run(committed, ROW)
    torn = replace(committed, stage=replace(committed.stage, is_complete=lambda unit, store: [][0]))
    with pytest.raises(DamagedFile, match=committed.find(ROW).unit["unit_path"]):
        torn.find(ROW)


def test_a_unit_on_which_the_code_failed_is_missing(committed):
    failing = replace(committed, stage=replace(committed.stage, run=lambda unit, config, store: 1 / 0))
    (left,) = run(failing, ROW)
    assert (left["reject"]["reason"], left["outcomes"]) == ("failed", ["split failed"])
    assert committed.find(ROW).state is State.MISSING
    assert not list(committed.store.files(".running"))
