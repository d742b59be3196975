import pyarrow as pa
import pytest

from tests.workers.shards.shard_units import pack, write_video
from workers.shards.damage import find_damage
from workers.storage.store import Store


@pytest.fixture
def corpus(tmp_path):
    store = Store(tmp_path)
    return store, pack(store, [write_video(store, n) for n in range(4)], val_fraction=0.0)


def test_no_damage_in_a_whole_corpus_and_damage_outside_of_groups_is_found(corpus):
    store, samples = corpus
    assert list(find_damage(store, samples)) == []
    shard = samples["shard"][0].as_py()
    store.write_bytes(shard, store.read_bytes(shard)[:-1] + b"\1")
    faults = list(find_damage(store, samples))
    assert len(faults) == 1
    assert "differs from its checksum" in faults[0]


def test_a_table_of_another_build_is_found(corpus):
    store, samples = corpus
    pack(store, [write_video(store, n, num_queries=6) for n in range(4)], val_fraction=0.0)
    assert len(list(find_damage(store, samples))) == 4


@pytest.mark.parametrize("path", ["../outside.tar", "/etc/passwd", "shards/link.tar"])
def test_a_path_that_leads_out_of_the_corpus_is_a_fault_like_others(corpus, path, tmp_path):
    store, samples = corpus
    (tmp_path / "shards" / "link.tar").symlink_to("/etc/passwd")
    column = samples.schema.get_field_index("shard")
    bad = samples.slice(0, 1).set_column(column, "shard", pa.array([path]))
    [fault] = find_damage(store, pa.concat_tables([bad, samples]))
    assert fault.startswith(f"tables/samples.parquet: shard = '{path}': ")
