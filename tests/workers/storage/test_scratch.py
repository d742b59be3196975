import tempfile

import pytest

from workers.storage.scratch import scratch_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_is_this_users_alone_and_stays(temporary):
    folder = scratch_folder("copies")
    (folder / "a").write_text("b")
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700
    assert scratch_folder("copies") == folder
    assert (folder / "a").read_text() == "b"


def test_one_that_others_may_write_is_refused(temporary):
    scratch_folder("copies").chmod(0o777)
    with pytest.raises(PermissionError, match="TMPDIR"):
        scratch_folder("copies")


def test_a_link_is_refused(temporary):
    folder = scratch_folder("copies")
    folder.rmdir()
    folder.symlink_to(temporary / "theirs")
    (temporary / "theirs").mkdir()
    with pytest.raises(PermissionError, match="TMPDIR"):
        scratch_folder("copies")
