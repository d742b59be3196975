"""Tar files of others: what is asked for is read, and nothing else is believed."""

import io
import tarfile

import pyarrow as pa
import pytest

from workers.shards.group import ShardError
from workers.shards.tar_members import read_members


def tar_of(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size, info.type = len(content), kind
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def members_of(data: bytes, limit=lambda name: 100):
    return list(read_members(pa.BufferReader(data), "a.tar", limit))


def test_members_come_in_order_and_unwanted_ones_are_skipped():
    data = tar_of(("a", b"1"), ("b", b"2" * 1000), ("c", b""))
    assert members_of(data, lambda name: None if name == "b" else 100) == [("a", b"1"), ("c", b"")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tar_of(("a", b"1" * 101)), "member 'a' has 101 bytes; 100 are allowed"),
        (tar_of(("a", b"1"), ("a", b"2")), "member 'a' is there twice"),
        (tar_of(("a", b""), kind=tarfile.SYMTYPE), "no plain file"),
        (tar_of(("a", b"1"))[:512], "cut short"),
        (tar_of(("a", b"1"))[:1024], "damaged or cut short at byte 1024"),
        (b"no tar file" * 100, "cannot be read"),
    ],
    ids=["too large", "twice", "link", "cut in a member", "without an end", "no tar"],
)
def test_anything_else_is_an_error_that_names_the_file(data, message):
    with pytest.raises(ShardError, match=f"^a.tar: .*{message}"):
        members_of(data)
