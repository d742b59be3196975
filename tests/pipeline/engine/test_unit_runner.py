"""Crashes on a unit are counted per run, across processes."""

import multiprocessing
import signal

import pyarrow as pa

from pipeline.engine.committed import Committed
from pipeline.engine.crash_counter import CrashCounter
from pipeline.engine.unit_runner import UnitRunner
from tests.pipeline import toy
from workers.storage.store import Store

EMITTED = pa.schema([("segment_id", pa.string()), ("shout_unit", pa.string())])


def shout(corpus: str, died: str, run_id: str) -> None:
    store = Store(corpus)
    committed = Committed(toy.stages(died=died, crashes=4)[1], store, EMITTED)
    runner = UnitRunner(committed, CrashCounter(store, run_id, max_crashes=3))
    list(runner.run({"video_id": "v", "name": "n", "segment_id": "s", "word": "die", "reject": None}))


def test_crashes_in_an_earlier_build_do_not_count(tmp_path):
    corpus, died, codes = tmp_path / "corpus", tmp_path / "died", []
    died.mkdir()
    for run_id in ("first", "first", "second", "second", "second"):
        process = multiprocessing.get_context("spawn").Process(target=shout, args=(str(corpus), str(died), run_id))
        process.start()
        process.join()
        codes.append(process.exitcode)
    assert codes == [-signal.SIGKILL] * 4 + [0]
    units = list(Store(corpus).files("units"))
    assert [path.rpartition(".")[2] for path in units] == ["parquet"]
