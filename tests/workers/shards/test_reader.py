"""The samples of a rank are divided among the workers of a PyTorch DataLoader."""

from itertools import islice
from types import SimpleNamespace

import pytest
from torch.utils.data import DataLoader

from tests.workers.shards.shard_units import pack, write_video
from workers.shards.reader import ShardReader
from workers.storage.store import Store


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("corpus"))
    videos = [write_video(store, n, num_queries=3 + n % 4) for n in range(7)]
    return store, videos, pack(store, videos, val_fraction=0.0, shard_bytes=4000)


def ids(reader) -> list[str]:
    return [sample["qa_id"] for sample in reader]


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
@pytest.mark.slow
def test_the_workers_of_a_loader_share_a_ranks_samples(corpus, start_method):
    store, _, samples = corpus
    shares = []
    for rank in range(2):
        reader = ShardReader(store, samples, rank=rank, world_size=2, interleaved_videos=4)
        loader = DataLoader(reader, batch_size=None, num_workers=2, multiprocessing_context=start_method)
        shares.append(ids(loader))
        # One by one, they come in the order that they have without workers.
        assert shares[-1] == ids(ShardReader(store, samples, rank=rank, world_size=2, interleaved_videos=4))
    assert sorted(shares[0] + shares[1]) == sorted(samples["qa_id"].to_pylist())


def test_each_worker_goes_on_from_its_own_state(corpus, monkeypatch):
    store, _, samples = corpus
    whole, seen = ids(ShardReader(store, samples)), []
    for number, steps in enumerate((3, 5, 0)):
        info = SimpleNamespace(id=number, num_workers=3)
        monkeypatch.setattr("workers.shards.reader.get_worker_info", lambda info=info: info)
        reader = ShardReader(store, samples)
        seen += [sample["qa_id"] for sample in islice(reader, steps)]
        again = ShardReader(store, samples)
        again.load_state_dict(reader.state_dict())
        seen += ids(again)
    assert sorted(seen) == sorted(whole)


def test_a_state_with_the_former_name_lanes_is_restored(corpus):
    store, _, samples = corpus
    state = ShardReader(store, samples, interleaved_videos=4).state_dict()
    state["lanes"] = state.pop("interleaved_videos")
    reader = ShardReader(store, samples, interleaved_videos=2)
    reader.load_state_dict(state)
    assert reader.interleaved_videos == 4
