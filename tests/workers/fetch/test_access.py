"""The guard: what a manifest's address may open."""

import os

import pytest

from schemas.rejects import Reject
from workers.fetch.access import Access, check, open_local
from workers.fetch.fetcher import read_bytes
from workers.fetch.urls import LocalUrl


@pytest.fixture
def root(tmp_path):
    """A folder with a file, beside one that is none of the manifest's business."""
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root2").mkdir()
    for path in ("root/sub/in.vtt", "root2/out.vtt", "secret"):
        (tmp_path / path).write_text(path)
    (tmp_path / "root" / "good").symlink_to("sub/in.vtt")
    (tmp_path / "root" / "bad").symlink_to("../secret")
    (tmp_path / "root" / "up").symlink_to("..")
    return tmp_path / "root"


@pytest.mark.parametrize("path", ["sub/in.vtt", "good", "sub/../sub/in.vtt", "up/root/good"])
def test_a_file_below_the_root_is_read(root, path):
    assert read_bytes(f"{root}/{path}", 100, Access(root=str(root))) == b"root/sub/in.vtt"
    assert read_bytes(f"file://{root}/{path}", 100, Access(root=str(root))) == b"root/sub/in.vtt"


@pytest.mark.parametrize(
    "path", ["../secret", "bad", "up/secret", "../root2/out.vtt", "/etc/hostname", "up/root/up/secret"]
)
def test_a_file_outside_of_the_root_is_refused_symbolic_links_followed(root, path):
    with pytest.raises(Reject, match="refused.*outside download.root"):
        read_bytes(os.path.join(root, path), 100, Access(root=str(root)))  # noqa: PTH118


def test_the_root_may_be_a_link_itself(root):
    (root.parent / "link").symlink_to(root)
    assert read_bytes(f"{root}/good", 100, Access(root=f"{root.parent}/link"))
    assert read_bytes(f"{root.parent}/link/good", 100, Access(root=str(root)))


def test_no_local_file_is_read_for_a_manifest_that_may_name_none(root):
    for address in (f"{root}/good", f"file://{root}/good"):
        with pytest.raises(Reject, match="refused.*download.allow_local_files"):
            read_bytes(address, 100, Access(local_files=False, root=str(root)))


@pytest.mark.parametrize(
    "address", ["https://h.org/a.vtt", "s3://id:key@b/a.vtt", "s3://b/a.vtt?endpoint_override=h", " /a", "/a\0b"]
)
def test_what_is_no_usable_address_is_refused(address):
    with pytest.raises(Reject, match="refused"):
        read_bytes(address, 100, Access())


def test_what_is_no_regular_file_is_not_found(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path in (
        tmp_path / "pipe",
        tmp_path,
        tmp_path / "none",
        tmp_path / "loop",
        tmp_path / ("x" * 5000),
        "/dev/zero",
    ):
        with pytest.raises(Reject, match="not_found") as rejected:
            open_local(LocalUrl(str(path)))
        assert len(rejected.value.detail) < 200
        assert str(tmp_path) not in rejected.value.detail


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 11)
    with pytest.raises(Reject, match="too_large: has 11 bytes, above 10"):
        read_bytes(str(tmp_path / "a"), 10, Access())


def test_the_checked_path_is_where_the_links_lead(root):
    assert check(f"{root}/good", Access(root=str(root))) == LocalUrl(f"{root}/sub/in.vtt")
    assert check(f"{root}/good", Access()) == LocalUrl(f"{root}/good")
