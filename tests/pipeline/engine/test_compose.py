"""Compose on a real Ray session: fan-out, rejects, failures, crashes, resume."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import ray
from ray.data import DataContext
from ray.data._internal.execution.no_progress_guard import NoProgressGuard

from pipeline.engine import cluster
from pipeline.engine.chain import ChainError, chain
from pipeline.engine.compose import ClusterTooSmall, WorkerFailed, _shown, check_fits, run_chain
from pipeline.engine.crash_counter import CrashCounter
from pipeline.engine.progress import Display
from pipeline.engine.progress_counter import ProgressCounter
from schemas.config import Resources
from tests.pipeline import in_process, toy
from workers.storage.store import Store

pytestmark = pytest.mark.usefixtures("ray_session")


def run(store, texts, stages=None, run_chain=run_chain):
    rows = pa.table(
        {
            "video_id": [f"v{i}" for i in range(len(texts))],
            "name": [f"n{i}" for i in range(len(texts))],
            "text": texts,
        },
        toy.TEXTS,
    )
    tables = run_chain(
        iter([rows]),
        toy.TEXTS,
        stages or toy.stages(),
        store,
        passthrough=["segment_id"],
        crashes=CrashCounter(store, "run", max_crashes=3),
        display=Display(stages or toy.stages(), len(texts)),
    )
    return sorted(pa.concat_tables(tables).to_pylist(), key=lambda r: (r["video_id"], r["segment_id"] or ""))


def without_outcomes(rows):
    return [{name: value for name, value in row.items() if name != "outcomes"} for row in rows]


def test_every_unit_leaves_once_and_is_committed(tmp_path):
    store = Store(tmp_path)
    rows = run(store, ["a b c", "", "d"])
    assert [r["segment_id"] for r in rows] == ["v0-00000", "v0-00001", "v0-00002", None, "v2-00000"]
    shouts = [store.read_table(r["shout_unit"])["shout"][0].as_py() for r in rows if not r["reject"]]
    assert shouts == ["A!", "B!", "C!", "D!"]
    reject = rows[3]["reject"]
    assert (reject["unit"], reject["reason"], reject["attempts"]) == ("n1", "empty_file", 1)
    assert store.exists(reject["path"])


def test_the_segments_of_one_video_are_done_side_by_side(tmp_path):
    """By stages of the same needs too, which Ray Data would fuse into one task."""
    split, shout = toy.stages()
    split = replace(split, config=toy.SplitConfig(resources=shout.config.resources))
    rows = run(Store(tmp_path), ["a b"], [split, replace(shout, run=toy.meet)])
    assert [r["reject"] for r in rows] == [None, None]


@pytest.mark.parametrize(("text", "workers"), [("one", 1), ("many " * 20 + "last", 2)])
def test_workers_come_and_go_with_the_work(tmp_path, text, workers):
    split, shout = toy.stages()
    rows = run(Store(tmp_path), [text], [split, replace(shout, run=toy.Colleague)])
    assert [r["reject"] for r in rows] == [None] * len(text.split())
    assert len(list(Store(tmp_path).files("workers"))) == workers


def test_a_second_run_writes_nothing(tmp_path):
    store = Store(tmp_path)
    first = run(store, ["a b", ""], run_chain=in_process.run_chain)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    assert without_outcomes(run(store, ["a b", ""])) == without_outcomes(first)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_changed_knob_reruns_only_what_depends_on_it(tmp_path):
    store = Store(tmp_path)
    first, second = (run(store, ["a b"], toy.stages(mark=mark), run_chain=in_process.run_chain) for mark in ("!", "?"))
    assert [r["split_unit"] for r in first] == [r["split_unit"] for r in second]
    assert {r["shout_unit"] for r in first}.isdisjoint(r["shout_unit"] for r in second)


@pytest.mark.parametrize("imports", [(), ("absent_module", "tabnanny")])
def test_an_actor_imports_what_its_stage_names_before_its_first_unit_and_does_without_what_is_missing(
    tmp_path, imports
):
    store, (split, shout) = Store(tmp_path), toy.stages()
    (row,) = run(store, ["a"], [split, replace(shout, run=toy.Late, imports=imports)])
    assert store.read_table(row["shout_unit"])["shout"].to_pylist() == [str("tabnanny" in imports)]


def test_an_unexpected_error_names_its_unit_and_stops_no_other(tmp_path):
    store = Store(tmp_path)
    rows = run(store, ["a fail b"])
    assert [bool(r["reject"]) for r in rows] == [False, True, False]
    failed = rows[1]["reject"]
    assert (failed["unit"], failed["reason"]) == ("v0-00001", "failed")
    assert "ZeroDivisionError: the word was fail" in failed["detail"]
    (error,) = [p for p in store.files("units") if p.endswith(".error.json")]
    assert "toy.py" in store.read_json(error)["traceback"]


def test_a_worker_that_cannot_start_ends_the_build_and_says_why(tmp_path):
    with pytest.raises(WorkerFailed, match="LookupError: there is no mark"):
        run(Store(tmp_path), ["a b"], toy.stages(mark="none"))


def test_a_stage_that_can_do_no_unit_ends_the_build_in_one_line(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(WorkerFailed) as ended:
        run(store, ["a b", "expired"])
    assert str(ended.value) == "s3://words: the credentials are not accepted"
    assert not [path for folder in ("units", ".running") for path in store.files(folder) if path.endswith(".json")]


def test_a_worker_that_dies_costs_nothing(tmp_path):
    store, died = Store(tmp_path / "corpus"), tmp_path / "died"
    died.mkdir()
    rows = run(store, ["a die b"], toy.stages(died=str(died)))
    assert len(list(died.iterdir())) == 1
    assert not any(r["reject"] for r in rows)
    assert not list(Path(store.root).rglob("*.json"))


def test_a_unit_that_always_kills_its_worker_is_rejected(tmp_path):
    rows = run(Store(tmp_path), ["a always b"])
    assert [r["reject"] and r["reject"]["reason"] for r in rows] == [None, "worker_died", None]


def counted(rows) -> Counter:
    return Counter(outcome for row in rows for outcome in row["outcomes"])


def test_units_are_counted_while_a_phase_runs_and_the_counts_deleted_at_its_end():
    @ray.remote(num_cpus=0)
    def count(counter: ProgressCounter) -> None:
        counter.add("split", "done")

    with _shown(Display(toy.stages(), 1)) as counter:
        ray.get([count.remote(counter) for _ in range(3)])
        counter.add("split", "failed")
        assert counter.read() == {("split", "done"): 3, ("split", "failed"): 1}
    assert not counter.read()


def test_the_rows_that_leave_hold_each_unit_once(tmp_path):
    store = Store(tmp_path)
    expected = {"split done": 2, "split rejected": 1, "shout done": 3, "shout failed": 1}
    assert counted(run(store, ["a b fail", "", "c"])) == expected
    kept = {"split kept": 2, "split rejected": 1, "shout kept": 3, "shout failed": 1}
    assert counted(run(store, ["a b fail", "", "c"])) == kept


def test_what_a_counter_counted_is_kept_for_the_next(capsys):
    display = Display(toy.stages()[:1], 3)
    display.update(Counter({("split", "done"): 2}))
    display.update(Counter({("split", "done"): 1}))
    assert capsys.readouterr().err.splitlines() == ["split: 2 done"] * 2


def test_no_unit_ends_the_build_by_how_long_it_takes():
    with cluster.ray_session():
        timeout_s = DataContext.get_current().execution_no_progress_timeout_s
    NoProgressGuard({}, timeout_s, clock=iter([0.0, 24 * 3600.0]).__next__).check()


def test_misordered_stages_fail_before_anything_runs():
    with pytest.raises(ChainError, match="'shout' reads column 'segment_id'"):
        chain(toy.TEXTS, toy.stages()[::-1])


def test_heavy_columns_vanish_unless_declared():
    schemas = chain(toy.TEXTS, toy.stages(), passthrough=["segment_id"])
    assert "text" not in schemas[1].names
    assert "word" in schemas[1].names
    assert set(schemas[2].names) == {"video_id", "name", "reject", "split_unit", "segment_id", "shout_unit"}


def test_a_chain_that_would_starve_is_refused():
    stages = toy.stages()
    hungry = stages[1].config.model_copy(update={"resources": Resources(cpus=4, workers=(1, 1))})
    with pytest.raises(ClusterTooSmall, match="shout"):
        check_fits([stages[0], stages[1].__class__(**{**vars(stages[1]), "config": hungry})])


def megabytes() -> int:
    """Memory of the cluster, as Ray counts it."""
    return int(ray.cluster_resources()["memory"] / 2**20)


@pytest.mark.parametrize("number", [0, 1])
def test_a_worker_that_no_node_can_hold_is_refused(number):
    stages = toy.stages()
    resources = Resources(cpus=0.25, memory_mb=megabytes() + 1)
    stages[number] = replace(stages[number], config=toy.ShoutConfig(resources=resources))
    with pytest.raises(ClusterTooSmall, match=rf"{stages[number].name}.resources: .*memory_mb = {megabytes() + 1}"):
        check_fits(stages)


@pytest.mark.parametrize(("workers", "refused"), [(1, False), (3, True)])
def test_workers_are_refused_whose_memory_the_cluster_has_not(workers, refused):
    split, shout = toy.stages()
    resources = Resources(cpus=0.25, memory_mb=megabytes() // 2, workers=(workers, 3))
    stages = [split, replace(shout, config=toy.ShoutConfig(resources=resources))]
    with pytest.raises(ClusterTooSmall, match=r"MB of memory at least .*shout 3 x") if refused else nullcontext():
        check_fits(stages)
