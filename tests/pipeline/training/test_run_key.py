import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from pipeline.training.run_key import run_key


@pytest.fixture
def state(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    monkeypatch.setenv("LONGVID_STATE_DIR", str(folder))
    return folder


def test_the_same_user_has_the_same_key_for_a_run(state):
    assert run_key("first") == run_key("first")
    assert run_key("first") != run_key("second")
    assert len(run_key("first")) == 32


def test_runs_that_start_at_once_share_the_secret_that_is_made(state, monkeypatch):
    both, token_bytes = Barrier(2, timeout=20), secrets.token_bytes

    def slow_token_bytes(size):
        both.wait()
        return token_bytes(size)

    monkeypatch.setattr(secrets, "token_bytes", slow_token_bytes)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(run_key, ["run", "run"])
    assert first == second == run_key("run")
    assert [path.name for path in state.iterdir()] == ["checkpoint_key"]


def test_a_secret_is_made_where_files_cannot_be_linked(state, monkeypatch):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert run_key("run") == run_key("run")
    assert [path.name for path in state.iterdir()] == ["checkpoint_key"]


def test_another_user_has_other_keys(state, tmp_path, monkeypatch):
    mine = run_key("first")
    monkeypatch.setenv("LONGVID_STATE_DIR", str(tmp_path / "other"))
    assert run_key("first") != mine


def test_the_secret_is_readable_by_its_owner_only(state):
    run_key("first")
    assert [path.name for path in state.iterdir()] == ["checkpoint_key"]
    assert stat.S_IMODE((state / "checkpoint_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_cut_secret_is_no_secret(state):
    run_key("first")
    os.truncate(state / "checkpoint_key", 0)
    with pytest.raises(OSError, match="checkpoint_key: holds no key of 32 bytes; delete it"):
        run_key("first")


def test_without_a_setting_it_lies_in_the_users_state_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LONGVID_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    run_key("first")
    assert (tmp_path / "xdg" / "longvid" / "checkpoint_key").is_file()
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    run_key("first")
    assert (tmp_path / ".local" / "state" / "longvid" / "checkpoint_key").is_file()
