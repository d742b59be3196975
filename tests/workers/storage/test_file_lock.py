"""File locks exclude other holders, shared ones each other's deletion, and leave no file behind."""

import threading

import pytest

from workers.storage.file_lock import is_deleted, lock, locked


def test_one_holder_at_a_time_and_no_file_left(tmp_path):
    path = tmp_path / "a.lock"
    with locked(path):
        with pytest.raises(BlockingIOError), locked(path, wait=False):
            pass
        assert path.exists()
    assert not path.exists()


def test_who_waited_for_a_deleted_file_locks_the_new_one(tmp_path):
    path, entered, leave = tmp_path / "a.lock", threading.Event(), threading.Event()

    def hold() -> None:
        with locked(path):
            entered.set()
            leave.wait()

    with locked(path):
        waiting = threading.Thread(target=hold)
        waiting.start()
    assert entered.wait(120)
    with pytest.raises(BlockingIOError), locked(path, wait=False):
        pass
    leave.set()
    waiting.join()


def test_shared_locks_exclude_exclusive_ones_only(tmp_path):
    path = tmp_path / "copy"
    path.write_bytes(b"1")
    with path.open("rb") as one, path.open("rb") as two:
        lock(one, shared=True)
        lock(two, shared=True, wait=False)
        with path.open("rb") as three, pytest.raises(BlockingIOError):
            lock(three, wait=False)
        path.unlink()
        assert is_deleted(one)
