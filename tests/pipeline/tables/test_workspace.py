import os
import signal
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.tables.closed_duckdb import BATCH_ROWS
from pipeline.tables.workspace import BATCH_BYTES, Workspace, to_tables

HOLD = (
    "from pipeline.tables.workspace import Workspace\nwith Workspace() as work: print(work.folder, flush=True); input()"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other(temporary):
    """A driver in another process: the process, and its folder."""
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def folders(temporary):
    return [str(path) for path in temporary.glob("longvid-work-*/*")]


def test_its_folder_goes_with_it(temporary):
    with Workspace() as work:
        assert folders(temporary) == [str(work.folder)]
    assert folders(temporary) == []


def test_one_at_work_is_left_alone(temporary, other):
    _, theirs = other
    with Workspace() as work:
        assert sorted(folders(temporary)) == sorted([theirs, str(work.folder)])
    assert folders(temporary) == [theirs]


def test_what_a_killed_driver_left_is_deleted(temporary, other):
    process, theirs = other
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folders(temporary) == [theirs]
    with Workspace() as work:
        assert folders(temporary) == [str(work.folder)]


@pytest.mark.slow
def test_rows_that_come_one_by_one_become_few_row_groups():
    """A row group for each would make every later query slow: a scan yields the rows of one video at a time."""
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    with Workspace() as work:
        assert work.put("single", (pa.table({"n": [n], "text": ["a"]}, schema) for n in range(5000)), schema) == 5000
        assert pq.ParquetFile(work.path("single")).metadata.num_row_groups == 2
        large = "a" * (BATCH_BYTES // 2)
        work.put("large", (pa.table({"n": [n], "text": [large]}, schema) for n in range(4)), schema)
        assert pq.ParquetFile(work.path("large")).metadata.num_row_groups == 2
        assert [row["n"] for row in work.rows("select n from single order by n desc limit 2")] == [4999, 4998]
        with work.appending("appended", schema) as append:
            for n in range(5000):
                append([{"n": n, "text": "a", "other": 1}])
            append([])
        file = pq.ParquetFile(work.path("appended"))
        assert (file.metadata.num_row_groups, file.read()["n"].to_pylist()) == (2, list(range(5000)))


def test_rows_become_tables_of_a_schema():
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    tables = list(to_tables(({"n": n, "other": n} for n in range(BATCH_ROWS + 1)), schema))
    assert [table.num_rows for table in tables] == [BATCH_ROWS, 1]
    assert tables[1].to_pylist() == [{"n": BATCH_ROWS, "text": None}]
    assert list(to_tables([], schema)) == []
