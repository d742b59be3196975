"""A build deletes only shards that it has written: what its users put beside them stays."""

import io
import tarfile

import pyarrow as pa
import pytest

from pipeline.tables.shard_record import RECORD, ShardInTheWay, drop_stale, gather_shards, note_planned
from pipeline.tables.workspace import Workspace
from schemas.tables.shards import SAMPLE, SHARD
from tests.workers.shards.shard_units import pack, write_video
from workers.storage.store import Store

PLANNED = pa.schema([("shard", pa.string())])


@pytest.fixture
def store(tmp_path):
    """A corpus of four shards, recorded."""
    store = Store(tmp_path / "corpus")
    samples = pack(store, [write_video(store, n) for n in range(4)], val_fraction=0.0, shard_bytes=2048)
    with Workspace() as work:
        work.put("samples", [samples], SAMPLE)
        gather_shards(work, store, publish=True)
    return store


def samples_of(store: Store, shards: int) -> pa.Table:
    table = store.read_table("tables/samples.parquet")
    return table.filter(pa.compute.is_in(table["shard"], pa.array(names(range(shards)))))


def names(numbers) -> list[str]:
    return [f"shards/train/{number:06d}.tar" for number in numbers]


def drop(store: Store, shards: int) -> list[str]:
    """What a build of the first `shards` of them does at its end."""
    with Workspace() as work:
        work.put("samples", [samples_of(store, shards)], SAMPLE)
        notes = drop_stale(work, store)
        gather_shards(work, store, publish=True)
    return notes


def note(store: Store, shards: list[str]) -> None:
    with Workspace() as work:
        work.put("pack_todo", [pa.table({"shard": shards}, PLANNED)], PLANNED)
        note_planned(work, store)


def users_tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(__file__, "notes.py")
    return stream.getvalue()


def test_the_record_says_what_each_shard_holds(store):
    rows = store.read_table(RECORD).to_pylist()
    samples = store.read_table("tables/samples.parquet").to_pylist()
    assert [row["shard"] for row in rows] == names(range(4))
    for row in rows:
        own = [sample for sample in samples if sample["shard"] == row["shard"]]
        assert row["sample_keys"] == sorted({sample["sample_key"] for sample in own})
        assert (row["num_samples"], row["split"]) == (len(own), "train")
        assert (row["shard_sha256"], row["shard_bytes"]) == (store.sha256(row["shard"]), store.size(row["shard"]))


def test_what_users_put_there_stays(store):
    theirs = {
        "shards/train/.nv-meta/dataset.yaml": b"sample_type: ...",
        "shards/train/000000.tar.idx": b"index",
        "shards/train/000001.idx": b"index",
        "shards/README.md": b"Notes",
        "shards/train/000009.tar": users_tar(),
        "shards/mine.tar": users_tar(),
        "shards/other/000000.tar": users_tar(),
    }
    for path, data in theirs.items():
        store.write_bytes(path, data)
    assert drop(store, 2) == []
    assert set(store.files("shards")) == {*theirs, *names(range(2))}
    assert all(store.read_bytes(path) == data for path, data in theirs.items())


def test_a_tar_in_the_place_of_a_recorded_one_stays_and_is_told_of(store):
    store.write_bytes("shards/train/000003.tar", users_tar())
    (said,) = drop(store, 2)
    assert said.startswith("shards/train/000003.tar: ")
    assert store.read_bytes("shards/train/000003.tar") == users_tar()
    assert not store.exists("shards/train/000002.tar")


def test_a_tar_of_another_corpus_is_not_taken_for_ours(store):
    store.write_bytes("shards/train/000003.tar", store.read_bytes("shards/train/000000.tar"))
    assert len(drop(store, 2)) == 1
    assert store.exists("shards/train/000003.tar")


def test_shards_of_a_build_that_was_killed_are_known(store):
    later = names([4, 5])
    note(store, later)
    assert store.read_table(RECORD)["shard"].to_pylist() == names(range(6))
    store.write_bytes(later[0], store.read_bytes("shards/train/000000.tar"))  # the second was not come to
    assert drop(store, 4) == []
    assert {*store.files("shards")} == {*names(range(4))}
    assert store.read_table(RECORD)["shard"].to_pylist() == names(range(4))


def test_a_record_that_holds_is_not_written_again(store):
    before = store.read_bytes(RECORD)
    note(store, names(range(2)))
    assert store.read_bytes(RECORD) == before


def test_no_shard_is_written_over_a_file_of_the_users(store):
    store.write_bytes("shards/train/000004.tar", users_tar())
    with pytest.raises(ShardInTheWay, match=r"shards/train/000004.tar: .*move it away"):
        note(store, names(range(5)))
    assert store.read_table(RECORD)["shard"].to_pylist() == names(range(4))


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "../secret", "tables/samples.parquet", "shards/train/out/000001.tar"]
)
def test_an_untrusted_record_deletes_nothing_else(store, tmp_path, path):
    (tmp_path / "secret").write_bytes(store.read_bytes("shards/train/000000.tar"))
    (tmp_path / "corpus" / "shards" / "train" / "out").symlink_to(tmp_path)
    (tmp_path / "000001.tar").write_bytes(store.read_bytes("shards/train/000000.tar"))
    store.write_tables(RECORD, [pa.Table.from_pylist([{"shard": path}], SHARD)], SHARD)
    drop(store, 4)
    assert (tmp_path / "secret").exists()
    assert (tmp_path / "000001.tar").exists()
    assert store.exists("tables/samples.parquet")


def test_a_linked_shard_is_told_of_and_left(store, tmp_path):
    shard = tmp_path / "corpus" / "shards" / "train" / "000003.tar"
    shard.rename(tmp_path / "elsewhere.tar")
    shard.symlink_to(tmp_path / "elsewhere.tar")
    (said,) = drop(store, 3)
    assert "left alone" in said
    assert (tmp_path / "elsewhere.tar").exists()


def test_before_there_was_a_record_the_samples_tell(store):
    store.delete(RECORD)
    assert drop(store, 2) == []
    assert {*store.files("shards")} == {*names(range(2))}
