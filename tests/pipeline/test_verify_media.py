"""Verify reads media outside the corpus by the guard that a build reads them by."""

import hashlib

from pipeline.verify_media import media_problem
from workers.fetch.access import Access
from workers.storage.store import Store


def test_media_in_place_are_read_below_the_root_only(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "root" / "v").write_bytes(b"x")
    (tmp_path / "root" / "link").symlink_to("../secret")
    store, access = Store(tmp_path / "corpus"), Access(root=str(tmp_path / "root"))

    def problem(uri):
        row = {"media": None, "uri": uri, "name": "n", "sha256": hashlib.sha256(b"x").hexdigest()}
        return media_problem(store, str(tmp_path / "root"), access, row)

    assert problem("v") is None
    for uri in ("link", "../secret", str(tmp_path / "secret")):
        assert "is not read: the file lies outside download.root" in problem(uri)
    assert "is gone" in problem("none")
    assert "what was fetched lies in the corpus" in problem("https://h.org/v")
