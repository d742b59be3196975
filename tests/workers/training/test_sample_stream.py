import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import ConfigError
from tests.tiny_samples import reads, tiny_set
from tests.workers.shards.shard_units import WIDTH, pack, write_video
from workers.storage.store import Store
from workers.training.sample_stream import SampleStream, shard_samples


def stream_of(num_samples, batch_size, rank=0, world_size=1):
    return SampleStream(
        reads(num_samples), tiny_set(num_samples), batch_size=batch_size, rank=rank, world_size=world_size
    )


def places(batch):
    return [(sample["epoch"], sample["position"]) for sample in batch]


@given(st.integers(1, 23), st.integers(1, 4), st.integers(1, 4), st.integers(1, 6))
def test_any_number_of_ranks_sees_the_same_batches(num_samples, world_size, part, num_batches):
    batch_size = world_size * part
    ranks = [stream_of(num_samples, batch_size, rank, world_size) for rank in range(world_size)]
    for number in range(num_batches):
        wanted = [divmod(number * batch_size + i, num_samples) for i in range(batch_size)]
        parts = [places(rank.next_batch()) for rank in ranks]
        assert [parts[i % world_size][i // world_size] for i in range(batch_size)] == wanted
    assert {(r.epoch, r.samples_consumed) for r in ranks} == {divmod(num_batches * batch_size, num_samples)}


@given(st.integers(1, 23), st.integers(0, 9), st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3]))
def test_goes_on_where_it_stopped_with_another_number_of_ranks(num_samples, num_batches, before, after):
    first = stream_of(num_samples, 6, 0, before)
    for _ in range(num_batches):
        first.next_batch()
    ranks = [stream_of(num_samples, 6, rank, after) for rank in range(after)]
    for rank in ranks:
        rank.seek(first.epoch, first.samples_consumed)
    together = sorted(place for rank in ranks for place in places(rank.next_batch()))
    assert together == sorted(divmod(num_batches * 6 + i, num_samples) for i in range(6))


def test_batch_that_does_not_divide_among_ranks_is_refused():
    with pytest.raises(ValueError, match="batch_size = 5: must be a multiple of the number of workers, 2"):
        stream_of(10, 5, world_size=2)


def test_shards_that_end_early_are_told_of():
    stream = SampleStream(reads(4), tiny_set(6), batch_size=6)
    with pytest.raises(ValueError, match="epoch 0 ended at sample 4 of 6"):
        stream.next_batch()


def test_samples_of_real_shards_are_each_met_once_an_epoch(tmp_path):
    store = Store(tmp_path)
    table = pack(store, [write_video(store, number) for number in range(3)], val_fraction=0.0)
    read, samples = shard_samples(store, table, "train", seed=5)
    assert (samples.num_samples, samples.token_width) == (15, WIDTH)
    # Batches of 4 over 15 samples: the second epoch begins within a batch, at another rank than the first.
    ranks = [SampleStream(read, samples, batch_size=4, rank=rank, world_size=2) for rank in range(2)]
    met = []
    for _ in range(8):
        parts = [[sample["qa_id"] for sample in rank.next_batch()] for rank in ranks]
        met += [parts[i % 2][i // 2] for i in range(4)]
    ids = set(table["qa_id"].to_pylist())
    assert set(met[:15]) == set(met[15:30]) == ids
    assert met[:15] != met[15:30]


def test_which_samples_they_are_is_told_by_their_ids(tmp_path):
    store = Store(tmp_path)
    table = pack(store, [write_video(store, number) for number in range(2)], val_fraction=0.0)
    _, samples = shard_samples(store, table, "train", seed=0)
    _, fewer = shard_samples(store, table.slice(1), "train", seed=0)
    _, shuffled = shard_samples(store, table.take(list(range(9, -1, -1))), "train", seed=1)
    assert samples == shuffled
    assert samples.sha256 != fewer.sha256


def test_a_place_that_no_epoch_has_is_refused():
    stream = SampleStream(reads(5), tiny_set(5), batch_size=1)
    with pytest.raises(ConfigError, match="samples_consumed = 5: the epoch has 5"):
        stream.seek(0, 5)
