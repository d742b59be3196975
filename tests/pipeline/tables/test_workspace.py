import os
import signal
import subprocess
import sys
import tempfile

import pytest

from pipeline.tables.workspace import Workspace

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
