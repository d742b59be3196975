import os

import pytest


@pytest.fixture(autouse=True)
def hosts(tmp_path_factory, monkeypatch):
    """The node's folder of slots and pauses, empty."""
    folder = tmp_path_factory.mktemp("node")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder / f"longvid-hosts-{os.getuid()}"
