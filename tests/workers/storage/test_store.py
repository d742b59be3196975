"""A file in a store is there whole or not at all, and damage is found."""

import io
import os
from pathlib import Path

import boto3
import numpy as np
import pyarrow as pa
import pytest

from schemas.config import ConfigError
from tests.object_store import Faults, s3_corpus
from workers.storage.files import TEMPORARY, PathError
from workers.storage.store import MAX_JSON_BYTES, Store

TABLE = pa.table({"x": pa.array(range(10_000), pa.int64())})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "corpus")


def test_a_write_that_fails_leaves_nothing(store):
    def tables():
        yield TABLE
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        store.write_tables("units/a.parquet", tables(), TABLE.schema)
    assert not store.exists("units/a.parquet")
    assert list(store.files("units")) == []


def test_an_upload_that_is_interrupted_leaves_nothing(monkeypatch):
    class Interrupted(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise KeyboardInterrupt
            return super().read(size)

    monkeypatch.setattr("tempfile.TemporaryFile", Interrupted)
    with s3_corpus() as root:
        with pytest.raises(KeyboardInterrupt):
            Store(root).write_bytes("a", b"half" * (1 << 21))
        assert not Store(root).exists("a")


@pytest.mark.parametrize("write", ["initiate", "part", "complete"])
@pytest.mark.parametrize("fault", [500, 503, "reset", "lost"])
def test_an_upload_outlasts_faults(write, fault):
    met = []

    def once(found, path):
        if found == write and not met:
            met.append(path)
            return fault
        return None

    faults = Faults()
    with s3_corpus(faults) as root:
        faults.fault = once
        Store(root).write_bytes("a", b"whole")
        assert met == ["/corpora/one/a"]
        assert Store(root).read_bytes("a") == b"whole"


@pytest.mark.slow
def test_an_upload_that_cannot_end_leaves_nothing():
    faults = Faults()
    with s3_corpus(faults) as root:
        faults.fault = lambda write, path: 503 if write == "complete" else None
        with pytest.raises(OSError, match="SLOW_DOWN"):
            Store(root).write_bytes("a", b"whole")
        assert not Store(root).exists("a")


def test_a_write_replaces_whole(store):
    store.write_bytes("a", b"long content")
    store.write_bytes("a", b"short")
    assert store.read_bytes("a") == b"short"
    assert store.size("a") == 5


def test_the_same_tables_are_the_same_bytes(store):
    for name in ("a", "b"):
        store.write_tables(name, [TABLE, TABLE], TABLE.schema)
    assert store.read_bytes("a") == store.read_bytes("b")


def test_a_table_is_read_by_row_groups(store):
    store.write_tables("a", [TABLE, TABLE.slice(1), TABLE.slice(0, 0)], TABLE.schema)
    read = [*store.row_groups("a", TABLE.column_names[:1])]
    assert [table.num_rows for table in read] == [TABLE.num_rows, TABLE.num_rows - 1, 0]
    assert pa.concat_tables(read).equals(store.read_table("a", TABLE.column_names[:1]))


def test_tensors_round_trip(store):
    tensors = {"b": np.arange(6, dtype=np.float16).reshape(2, 3), "a": np.zeros((0, 4), np.int64)}
    store.write_tensors("t.safetensors", tensors)
    read = store.read_tensors("t.safetensors")
    assert read.keys() == tensors.keys()
    for name, value in tensors.items():
        np.testing.assert_array_equal(read[name], value)
        assert read[name].dtype == value.dtype
    store.write_tensors("u.safetensors", dict(reversed(tensors.items())))
    assert store.read_bytes("t.safetensors") == store.read_bytes("u.safetensors")


@pytest.mark.parametrize("where", [0.3, 0.6, 0.95])
def test_a_flipped_bit_is_found(store, where):
    store.write_tensors("t.safetensors", {"x": np.random.default_rng(0).random(5000)})
    store.write_tables(
        "t.parquet", [pa.table({"x": np.random.default_rng(0).random(5000)})], pa.schema([("x", pa.float64())])
    )
    reads = {
        "t.safetensors": [store.read_tensors],
        "t.parquet": [store.read_table, lambda name: list(store.row_groups(name))],
    }
    for name in reads:
        data = bytearray(store.read_bytes(name))
        data[int(len(data) * where)] ^= 1
        store.write_bytes(name, bytes(data))
        for read in reads[name]:
            with pytest.raises((OSError, ValueError)):
                read(name)


def test_files_are_listed_sorted_and_below_one_folder(store):
    for path in ("u/b/2", "u/a/1", "v/3"):
        store.write_bytes(path, b"")
    assert list(store.files("u")) == ["u/a/1", "u/b/2"]
    assert list(store.files("nowhere")) == []


def read_locally(store, path):
    with store.local(path):
        pass


USES = {
    "exists": Store.exists,
    "size": Store.size,
    "files": lambda store, path: list(store.files(path)),
    "delete": Store.delete,
    "delete_folder": Store.delete_folder,
    "write_bytes": lambda store, path: store.write_bytes(path, b"ours"),
    "read_bytes": Store.read_bytes,
    "open": Store.open,
    "sha256": Store.sha256,
    "read_table": Store.read_table,
    "row_groups": lambda store, path: list(store.row_groups(path)),
    "local": read_locally,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize(
    "path", ["{}/secret", "../secret", "a/../../secret", "a//b", "./a", "a/", "a\0b", "out/secret", "out"]
)
def test_no_path_leads_out_of_the_root(store, tmp_path, use, path):
    (tmp_path / "secret").write_bytes(b"theirs")
    store.write_bytes("a/b", b"inside")
    (tmp_path / "corpus" / "out").symlink_to(tmp_path)
    with pytest.raises(PathError):
        use(store, path.format(tmp_path))
    assert (tmp_path / "secret").read_bytes() == b"theirs"
    assert store.read_bytes("a/b") == b"inside"


def test_no_write_goes_through_a_planted_folder(store, tmp_path):
    store.write_bytes("a", b"")
    (tmp_path / "corpus" / TEMPORARY).rmdir()
    (tmp_path / "corpus" / TEMPORARY).symlink_to(tmp_path)
    with pytest.raises(PathError, match="symbolic link"):
        store.write_bytes("b", b"")


def test_links_within_the_root_and_of_the_root_itself_are_followed(store, tmp_path):
    store.write_bytes("media/a", b"video")
    (tmp_path / "corpus" / "link").symlink_to("media/a")
    (tmp_path / "root").symlink_to("corpus")
    assert store.read_bytes("link") == Store(tmp_path / "root").read_bytes("link") == b"video"


@pytest.mark.parametrize("use", [Store.open, Store.read_bytes, Store.read_table, Store.read_json])
def test_a_named_pipe_is_not_waited_for(store, use):
    Path(store.root).mkdir()
    os.mkfifo(Path(store.root, "pipe"))
    with pytest.raises(PathError, match="'pipe': is no plain file"):
        use(store, "pipe")


def test_json_that_is_nested_too_deeply_is_a_value_error(store):
    store.write_bytes("deep.json", b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(ValueError, match=r"deep\.json: nested too deeply"):
        store.read_json("deep.json")


def test_json_that_would_take_a_multiple_of_its_size_in_memory_is_not_read(store):
    store.write_bytes("bomb.json", b"[" + b"[]," * (MAX_JSON_BYTES // 3) + b"[]]")
    with pytest.raises(ValueError, match=f"bomb.json: has {MAX_JSON_BYTES + 3} bytes; {MAX_JSON_BYTES} are allowed"):
        store.read_json("bomb.json")


def test_a_listing_enters_no_link(store, tmp_path):
    store.write_bytes("u/a", b"")
    (tmp_path / "corpus" / "u" / "up").symlink_to(tmp_path)
    assert list(store.files("u")) == ["u/a"]


def test_an_object_store_has_no_path_out_either():
    with s3_corpus() as root:
        Store(root).write_bytes("a", b"")
        with pytest.raises(PathError):
            Store(root).read_bytes("../two/a")


@pytest.mark.parametrize("folder", ["one", "Länge 100% #1", "%41", "a+b=c&d", "trailing/"])
def test_a_corpus_lies_in_an_object_store_where_a_listing_says(folder):
    with s3_corpus() as root:
        address, _, options = root.partition("?")
        host = options.partition("endpoint_override=")[2].partition("&")[0]
        store = Store(f"{address.removesuffix('one')}{folder}?{options}")
        store.write_bytes("units/ä b.json", b"x")
        client = boto3.client("s3", endpoint_url=f"http://{host}")
        (found,) = client.list_objects_v2(Bucket="corpora")["Contents"]
        assert found["Key"] == f"{folder.rstrip('/')}/units/ä b.json"
        assert list(store.files("units")) == ["units/ä b.json"]


@pytest.mark.parametrize(
    "root", ["s3://id:sec/ret@b/corpus", "s3://b c/corpus", "s3://id:secret@[/corpus", "ftp://me:secret@h/x"]
)
def test_a_root_that_cannot_be_used_is_named_without_its_secrets(root):
    with pytest.raises(ConfigError) as refused:
        Store(root)
    assert "sec" not in str(refused.value)
