"""Tars are the same to the byte, know what they were written for, and are tars to everyone else."""

import hashlib
import io
import subprocess
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.shards.writer import ShardWriter, encode_json, shard_key
from workers.storage.store import Store

MEMBERS = [("a.json", [b"{}\n"]), ("a.qa.json", [b"[", b"]"]), ("a.tokens.safetensors", [bytes(range(256)) * 7, b""])]


def write(members, key="units/pack/x.parquet") -> tuple[bytes, list, ShardWriter]:
    stream = io.BytesIO()
    with ShardWriter(stream, key) as writer:
        ranges = [writer.add(name, chunks) for name, chunks in members]
    return stream.getvalue(), ranges, writer


def test_ranges_hold_the_members_and_the_hash_is_of_the_file():
    data, ranges, writer = write(MEMBERS)
    for (offset, size), (_, chunks) in zip(ranges, MEMBERS, strict=True):
        assert data[offset : offset + size] == b"".join(chunks)
    assert writer.sha256 == hashlib.sha256(data).hexdigest()
    assert writer.size_bytes == len(data)


def test_headers_tell_nothing_of_the_machine():
    data, _, _ = write(MEMBERS)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
            assert member.mode == 0o644
            assert member.isreg()


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[0-9a-f]{1,16}(-[0-9]{5})?\.[a-z]{1,90}", fullmatch=True),
            st.lists(st.binary(max_size=3000), max_size=4),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda member: member[0],
    )
)
@settings(max_examples=50, deadline=None)
def test_any_members_come_back(members):
    data, ranges, _ = write(members)
    assert len(data) % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = [(member.name, tar.extractfile(member).read(), member.offset_data) for member in tar]
    wanted = [(name, b"".join(chunks), start) for (name, chunks), (start, _) in zip(members, ranges, strict=True)]
    assert found == wanted


def test_system_tar_lists_it_without_a_word(tmp_path):
    (tmp_path / "x.tar").write_bytes(write(MEMBERS)[0])
    done = subprocess.run(["tar", "tf", tmp_path / "x.tar"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [name for name, _ in MEMBERS]
    assert done.stderr == ""


def test_key_is_read_back(tmp_path):
    store = Store(tmp_path)
    key = "units/pack/0123456789ab/cd/cdef0123456789abcdef0123.parquet"
    store.write_bytes("shards/train/000000.tar", write(MEMBERS, key)[0])
    assert shard_key(store, "shards/train/000000.tar") == key


@pytest.mark.parametrize("content", [None, b"", b"x" * 5000, bytes(5000)], ids=["absent", "empty", "no tar", "zeros"])
def test_no_key_where_there_is_no_shard(tmp_path, content):
    store = Store(tmp_path)
    if content is not None:
        store.write_bytes("x.tar", content)
    assert shard_key(store, "x.tar") is None


def test_a_tar_of_another_program_has_no_key(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(__file__, "a.txt")
    assert shard_key(Store(tmp_path), "x.tar") is None


def test_json_is_canonical_and_refuses_what_json_has_not():
    assert encode_json({"b": "é", "a": [1.5, None]}) == '{"a":[1.5,null],"b":"é"}\n'.encode()
    with pytest.raises(ValueError):
        encode_json({"a": float("nan")})
