"""A node's copies: fetched once, kept within bounds, never taken from who uses them, whole after a kill."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.object_store import s3_corpus
from workers.storage.disk_cache import DiskCache
from workers.storage.file_lock import locked
from workers.storage.store import Store

BODY = bytes(range(256)) * 400


class Source:
    def __init__(self, body=BODY):
        self.body, self.fetches = body, 0

    def __call__(self, target):
        self.fetches += 1
        target.write(self.body)


def copies(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fetched_once(tmp_path):
    source = Source()
    for _ in range(3):
        with DiskCache(tmp_path).use("a", source) as path:
            assert path.read_bytes() == BODY
    assert source.fetches == 1
    assert copies(tmp_path) == ["a"]


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    kept = DiskCache(tmp_path, max_bytes=2 * len(BODY))
    for key in ("a", "b", "a", "c"):
        with kept.use(key, Source()):
            time.sleep(0.01)
    assert copies(tmp_path) == ["a", "c"]


def test_what_is_in_use_stays_and_goes_later(tmp_path):
    kept = DiskCache(tmp_path, max_bytes=1)
    with kept.use("a", Source()) as path, kept.use("b", Source()):
        assert path.read_bytes() == BODY
        assert copies(tmp_path) == ["a", "b"]
    with kept.use("c", Source()):
        assert copies(tmp_path) == ["c"]


def test_a_fetch_that_fails_leaves_no_copy(tmp_path):
    def broken(target):
        target.write(b"half")
        raise OSError("broken off")

    with pytest.raises(OSError, match="broken off"), DiskCache(tmp_path).use("a", broken):
        pass
    with DiskCache(tmp_path).use("a", Source()) as path:
        assert path.read_bytes() == BODY


def test_a_killed_fetch_leaves_no_copy_and_no_lock(tmp_path):
    program = """
import sys, time
from pathlib import Path
from workers.storage.disk_cache import DiskCache
def slow(target):
    target.write(b"half"); target.flush(); print("half", flush=True); time.sleep(600)
with DiskCache(Path(sys.argv[1])).use("a", slow): pass
"""
    root = Path(__file__).parents[3]
    process = subprocess.Popen([sys.executable, "-c", program, tmp_path], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"half\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with DiskCache(tmp_path).use("a", Source()) as path:
        assert path.read_bytes() == BODY


def use_often(folder, seed):
    bodies = {key: key.encode() * 50_000 for key in "abcde"}
    kept = DiskCache(folder, max_bytes=120_000)
    for number in range(200):
        key = "abcde"[(number * 7 + seed * number) % 5]
        with kept.use(key, Source(bodies[key])) as path:
            assert path.read_bytes() == bodies[key]


def test_processes_that_clear_away_side_by_side_never_miss_a_copy(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=use_often, args=(tmp_path, seed)) for seed in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]


def lock_often(folder):
    for _ in range(500):
        with locked(folder / "a.lock"):
            (folder / "held").touch(exist_ok=False)
            (folder / "held").unlink()


def test_a_lock_is_held_by_one_process_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=lock_often, args=(tmp_path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert not list(tmp_path.iterdir())


def test_a_remote_corpus_gives_a_file_once_and_a_replaced_one_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with s3_corpus() as root:
        store = Store(root)
        store.write_bytes("media/a.mp4", BODY)
        for _ in range(2):
            with store.local("media/a.mp4") as path:
                assert path.read_bytes() == BODY
        (copy,) = tmp_path.glob("longvid-copies-*/*")
        copy.write_bytes(b"kept")  # to be told from the original
        with store.local("media/a.mp4") as path:
            assert path.read_bytes() == b"kept"
        store.write_bytes("media/a.mp4", BODY[:-1])
        with store.local("media/a.mp4") as path:
            assert path.read_bytes() == BODY[:-1]
