"""What a unit does to its process is counted a run, and a process apart."""

import multiprocessing
import signal

import pyarrow as pa

from pipeline.engine.unit_runner import Commit
from tests.pipeline import toy
from workers.storage.store import Store

PASSING = pa.schema([("segment_id", pa.string()), ("shout_unit", pa.string())])


def shout(corpus: str, died: str, run_id: str) -> None:
    commit = Commit(toy.stages(died=died, deaths=4)[1], Store(corpus), PASSING, run_id, max_crashes=3)
    list(commit.unit({"video_id": "v", "name": "n", "segment_id": "s", "word": "die", "reject": None}))


def test_deaths_in_an_earlier_build_do_not_count(tmp_path):
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
