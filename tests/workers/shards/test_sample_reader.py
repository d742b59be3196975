"""Samples in an order bound to the manifest, resumed at any place by any number of ranks, and damage that is told."""

import logging

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import ConfigError
from tests.object_store import s3_corpus
from tests.workers.shards.shard_units import pack, write_video
from workers.shards.group import ShardError
from workers.shards.sample_reader import SampleReader
from workers.storage.store import Store

NUM_VIDEOS = 7


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("corpus"))
    videos = [write_video(store, n, num_queries=3 + n % 4) for n in range(NUM_VIDEOS)]
    return store, videos, pack(store, videos, val_fraction=0.0, shard_bytes=4000)


def ids(reader) -> list[str]:
    return [sample["qa_id"] for sample in reader]


def resumed(store, state, samples, **settings) -> SampleReader:
    reader = SampleReader(store, samples, **settings)
    reader.load_state_dict(state)
    return reader


def test_samples_are_what_was_packed(corpus):
    store, videos, samples = corpus
    rows = {row["qa_id"]: row for row in samples.to_pylist()}
    units = {video["video_id"]: store.read_tensors(video["distill_unit"]) for video in videos}
    for sample in SampleReader(store):
        row, tensors = rows.pop(sample["qa_id"]), units[sample["video_id"]]
        query = int(sample["qa_id"][16:])
        used = tensors["query_keyframes"][query]
        used = used[used >= 0]
        assert np.array_equal(sample["keyframes"], tensors["keyframes"][used])
        assert np.array_equal(sample["keyframe_tokens"], tensors["keyframe_tokens"][used])
        assert np.array_equal(sample["merged_tokens"], tensors["merged_tokens"][query])
        assert np.array_equal(sample["time_s"], tensors["time_s"])
        assert "clip_tokens" not in sample
        for name in ("question", "answer", "sample_key", "duration_s"):
            assert sample[name] == row[name]
        assert sample["conversations"][0]["from"] == "human"
    assert not rows


def test_clips_where_they_are_asked_for(corpus):
    store, videos, _ = corpus
    units = {video["video_id"]: store.read_tensors(video["distill_unit"]) for video in videos}
    for sample in SampleReader(store, clips=True):
        assert np.array_equal(sample["clip_tokens"], units[sample["video_id"]]["clip_tokens"])


@given(
    worlds=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=4),
    seed=st.integers(0, 3),
    epoch=st.integers(0, 2),
)
@settings(max_examples=15, deadline=None)
def test_any_change_of_world_size_goes_on_where_the_others_stopped(corpus, worlds, seed, epoch):
    store, _, samples = corpus
    options = {"interleaved_videos": 4, "prefetch": 2}
    whole = ids(SampleReader(store, samples, seed=seed, epoch=epoch, **options))
    state, seen = SampleReader(store, samples, seed=seed, epoch=epoch, **options).state_dict(), []
    for world_size, steps in worlds:
        ranks = [resumed(store, state, samples, rank=r, world_size=world_size, prefetch=2) for r in range(world_size)]
        for _, *step in zip(range(steps), *ranks, strict=False):
            seen += [sample["qa_id"] for sample in step]
        if len(seen) + world_size <= len(whole):
            assert len({reader.consumed for reader in ranks}) == 1
        state = ranks[0].state_dict()
        state["consumed"] = len(seen)
    assert seen == whole[: len(seen)]
    assert seen + ids(resumed(store, state, samples)) == whole


def test_two_ranks_share_an_epoch(corpus):
    store, _, samples = corpus
    ranks = [SampleReader(store, rank=rank, world_size=2) for rank in range(2)]
    shares = [ids(reader) for reader in ranks]
    assert sorted(shares[0] + shares[1]) == sorted(samples["qa_id"].to_pylist())
    assert [len(SampleReader(store, rank=rank, world_size=2)) for rank in range(2)] == [len(share) for share in shares]


def test_drop_last_gives_all_ranks_as_many(corpus):
    store, _, samples = corpus
    assert samples.num_rows % 4
    shares = [ids(SampleReader(store, rank=rank, world_size=4, drop_last=True)) for rank in range(4)]
    assert {len(share) for share in shares} == {samples.num_rows // 4}


def test_a_repack_keeps_the_order(corpus, tmp_path):
    store, _videos, samples = corpus
    other = Store(tmp_path)
    again = [write_video(other, n, num_queries=3 + n % 4) for n in range(NUM_VIDEOS)]
    repacked = pack(other, again, val_fraction=0.0, group_bytes=1024)
    assert repacked["sample_key"].to_pylist() != samples["sample_key"].to_pylist()
    assert set(repacked["shard"].to_pylist()) != set(samples["shard"].to_pylist())
    reader = SampleReader(store, samples, seed=5)
    order = ids(reader)
    assert ids(SampleReader(other, repacked, seed=5)) == order
    reader.seek(1, 9)
    assert ids(resumed(other, reader.state_dict(), repacked)) == ids(reader)


def test_a_group_is_read_once(corpus, monkeypatch):
    store, _, samples = corpus
    reads = []
    original = Store.open
    monkeypatch.setattr(Store, "open", lambda self, path: reads.append(path) or original(self, path))
    for rank in range(2):
        ids(SampleReader(store, samples, rank=rank, world_size=2, interleaved_videos=2, prefetch=1))
    assert len(reads) <= len(set(samples["sample_key"].to_pylist())) + 2  # at the end, videos run out unevenly


@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_table_does_not_matter(corpus, chance):
    store, _, samples = corpus
    rows = list(range(samples.num_rows))
    chance.shuffle(rows)
    again = SampleReader(store, samples.take(pa.array(rows)), seed=2)
    assert again.state_dict() == SampleReader(store, samples, seed=2).state_dict()
    assert ids(again) == ids(SampleReader(store, samples, seed=2))


def test_a_table_of_one_sample_is_read(corpus):
    store, _, samples = corpus
    assert ids(SampleReader(store, samples.slice(3, 1))) == [samples["qa_id"][3].as_py()]


def test_a_filtered_table_trains_on_what_it_has(corpus):
    store, _, samples = corpus
    some = samples.filter(pc.equal(samples["task"], "captioning"))
    assert sorted(ids(SampleReader(store, some))) == sorted(some["qa_id"].to_pylist())


def test_other_samples_refuse_the_state(corpus):
    store, _, samples = corpus
    state = SampleReader(store, samples).state_dict()
    with pytest.raises(ConfigError, match="start with epoch = 1"):
        resumed(store, state, samples.slice(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "test"}, r"split = 'test': no samples; there are: train \(\d+\)"),
        ({"rank": 2, "world_size": 2}, "rank = 2"),
        ({"consumed": 10**6}, "consumed = 1000000"),
        ({"interleaved_videos": 0}, "interleaved_videos = 0"),
    ],
)
def test_what_cannot_be_is_refused(corpus, options, message):
    with pytest.raises(ValueError, match=message):
        SampleReader(corpus[0], **options)


@pytest.fixture
def damaged(tmp_path):
    store = Store(tmp_path)
    samples = pack(store, [write_video(store, n) for n in range(5)], val_fraction=0.0)
    bad = samples.to_pylist()[7]
    data = bytearray(store.read_bytes(bad["shard"]))
    data[bad["tokens_offset"] + bad["tokens_bytes"] - 1] ^= 1
    store.write_bytes(bad["shard"], bytes(data))
    return store, samples, bad


def test_damage_stops_the_reader_by_default(damaged):
    store, _, bad = damaged
    with pytest.raises(ShardError, match=bad["sample_key"]):
        ids(SampleReader(store))


def test_damage_skipped_is_told(damaged, caplog):
    store, samples, bad = damaged
    reader = SampleReader(store, on_damage="skip")
    with caplog.at_level(logging.WARNING, "longvid.shards"):
        found = ids(reader)
    lost = {row["qa_id"] for row in samples.to_pylist()} - set(found)
    assert lost == {row["qa_id"] for row in samples.to_pylist() if row["sample_key"] == bad["sample_key"]}
    assert [(row["shard"], row["sample_key"], row["num_samples"]) for row in reader.damaged] == [
        (bad["shard"], bad["sample_key"], len(lost))
    ]
    assert "checksum" in reader.damaged[0]["detail"]
    assert caplog.text.count(bad["sample_key"]) == 1
    assert reader.consumed == samples.num_rows


@pytest.mark.parametrize("shard", ["/etc/hostname", "../secret", "shards/out/secret"])
def test_the_table_names_no_file_outside_the_corpus(tmp_path, shard):
    store = Store(tmp_path / "corpus")
    samples = pack(store, [write_video(store, 0)], val_fraction=0.0)
    (tmp_path / "secret").write_bytes(store.read_bytes(samples["shard"][0].as_py()))
    (tmp_path / "corpus" / "shards" / "out").symlink_to(tmp_path)
    column = samples.schema.get_field_index("shard")
    named = samples.set_column(column, "shard", pa.array([shard] * samples.num_rows))
    with pytest.raises(ShardError, match="no file of|leads out of"):
        ids(SampleReader(store, named))


def test_a_shard_of_another_build_is_not_trained_on(tmp_path):
    store = Store(tmp_path)
    samples = pack(store, [write_video(store, 0)], val_fraction=0.0).to_pandas()
    samples["qa_id"] = samples["qa_id"].to_numpy()[::-1]
    with pytest.raises(ShardError, match="two builds"):
        ids(SampleReader(store, pa.Table.from_pandas(samples)))


@pytest.mark.parametrize("row", [99, -1])
def test_a_row_that_a_group_does_not_have_is_not_trained_on(tmp_path, row):
    store = Store(tmp_path)
    samples = pack(store, [write_video(store, 0)], val_fraction=0.0).to_pandas()
    samples.loc[samples.index[-1], "row"] = row
    with pytest.raises(ShardError, match=f"row {row} of group .* is missing"):
        ids(SampleReader(store, pa.Table.from_pandas(samples)))


def test_shards_in_an_object_store_are_read_by_range(tmp_path):
    local = Store(tmp_path)
    here = pack(local, [write_video(local, n) for n in range(3)], val_fraction=0.0, shard_bytes=4000)
    with s3_corpus() as corpus:
        store = Store(corpus)
        there = pack(store, [write_video(store, n) for n in range(3)], val_fraction=0.0, shard_bytes=4000)
        assert there.equals(here)
        found = {sample["qa_id"]: sample["merged_tokens"] for sample in SampleReader(store)}
    wanted = {sample["qa_id"]: sample["merged_tokens"] for sample in SampleReader(local)}
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
