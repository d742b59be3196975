import pytest

from tests.workers.shards.shard_units import pack, write_video
from workers.shards.group import ShardError
from workers.shards.group_cache import GroupCache
from workers.storage.store import Store


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("corpus"))
    samples = pack(store, [write_video(store, n) for n in range(3)], val_fraction=0.0).to_pylist()
    return store.root, list({row["sample_key"]: row for row in samples}.values())


def test_a_group_is_read_once_until_others_take_its_place(corpus):
    root, (first, second, third) = corpus
    with GroupCache(root, capacity=2, verify=True, clips=False) as cache:
        group = cache.get(first)
        cache.prefetch(second)
        assert cache.get(first) is group
        cache.get(third)  # in the place of the second, which was used before the first
        assert cache.get(first) is group
        assert cache.get(second).qa[second["row"]]["qa_id"] == second["qa_id"]


def test_a_group_that_cannot_be_read_is_an_error_where_it_is_wanted(corpus):
    root, (first, *_) = corpus
    with GroupCache(root, capacity=1, verify=True, clips=False) as cache:
        cache.prefetch({**first, "shard": "shards/train/999999.tar"})
        with pytest.raises(ShardError, match="999999"):
            cache.get({**first, "shard": "shards/train/999999.tar"})
