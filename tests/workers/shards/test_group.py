"""The layout of tokens, parts of a video, and damage that is found and named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.shard_units import distill_tensors, pack, write_video
from workers.safetensors_file import encode_tensors
from workers.shards.group import (
    ShardError,
    find_damage,
    open_tokens,
    read_group,
    take_queries,
)
from workers.storage import Store


def joined(tensors, metadata=None) -> bytes:
    return b"".join(encode_tensors(tensors, metadata or {})[0])


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(
        left[n].dtype == right[n].dtype and np.array_equal(left[n], right[n]) for n in left
    )


def test_data_and_its_hash_are_those_of_the_store(tmp_path):
    tensors = distill_tensors(np.random.default_rng(0), 9, 3, 3)
    chunks, sha256 = encode_tensors(tensors, {})
    Store(tmp_path).write_tensors("x.safetensors", tensors)
    with open_tokens(Store(tmp_path), "x.safetensors") as unit:
        assert unit.sha256 == sha256
        assert bytes(unit.data) == b"".join(chunks[1:])
        unit.verify(sha256)
        unit.verify("of a part")


def test_the_store_accepts_the_checksum(tmp_path):
    tensors = distill_tensors(np.random.default_rng(0), 9, 3, 3)
    Store(tmp_path).write_bytes("x.safetensors", joined(tensors))
    assert same(Store(tmp_path).read_tensors("x.safetensors"), tensors)


def test_a_damaged_unit_is_named(tmp_path):
    store = Store(tmp_path)
    store.write_bytes("units/x.safetensors", joined({"a": np.arange(9)})[:-1] + b"\x07")
    with open_tokens(store, "units/x.safetensors") as unit, pytest.raises(ValueError, match="units/x.*checksum"):
        unit.verify()
    store.write_bytes("units/y.safetensors", b"")
    with pytest.raises(ValueError, match="units/y.safetensors"), open_tokens(store, "units/y.safetensors"):
        pass


@given(seed=st.integers(0, 999), num_queries=st.integers(1, 8), cuts=st.data())
@settings(max_examples=60, deadline=None)
def test_a_part_answers_for_its_queries_as_the_whole_does(seed, num_queries, cuts):
    tensors = distill_tensors(np.random.default_rng(seed), 12, num_queries, 4)
    first = cuts.draw(st.integers(0, num_queries - 1))
    rows = slice(first, cuts.draw(st.integers(first + 1, num_queries)))
    part = take_queries(tensors, rows)
    for row, query in enumerate(range(rows.start, rows.stop)):
        mine, whole = part["query_keyframes"][row], tensors["query_keyframes"][query]
        assert ((mine < 0) == (whole < 0)).all()
        mine, whole = mine[mine >= 0], whole[whole >= 0]
        assert np.array_equal(part["keyframes"][mine], tensors["keyframes"][whole])
        assert np.array_equal(part["keyframe_tokens"][mine], tensors["keyframe_tokens"][whole])
        assert np.array_equal(part["merged_tokens"][row], tensors["merged_tokens"][query])
    used = np.unique(part["query_keyframes"])
    assert np.array_equal(used[used >= 0], np.arange(len(part["keyframes"])))  # none but those it uses
    assert (np.diff(part["keyframes"]) > 0).all()


@pytest.fixture
def corpus(tmp_path):
    store = Store(tmp_path)
    return store, pack(store, [write_video(store, n) for n in range(4)], val_fraction=0.0)


def place_of(samples, video: int) -> dict:
    return next(row for row in samples.to_pylist() if row["video_id"] == f"{video:016x}")


def flip(store: Store, path: str, position: int) -> None:
    data = bytearray(store.read_bytes(path))
    data[position] ^= 1
    store.write_bytes(path, bytes(data))


def test_a_sample_owns_its_arrays(corpus):
    store, samples = corpus
    group = read_group(store, place_of(samples, 2))
    sample = group.sample(1)
    assert sample["merged_tokens"].flags.writeable
    sample["merged_tokens"][:] = 0
    assert group.tensors["merged_tokens"][1].any()
    assert sample["keyframes"].dtype == np.int64
    assert sample["keyframe_tokens"].shape[0] == len(sample["keyframes"])


@pytest.mark.parametrize("member", ["qa", "tokens"])
def test_one_flipped_bit_is_found_and_named(corpus, member):
    store, samples = corpus
    place = place_of(samples, 2)
    flip(store, place["shard"], place[f"{member}_offset"] + place[f"{member}_bytes"] - 4)
    with pytest.raises(ShardError, match=f"{place['shard']}: group {place['sample_key']} cannot be read.*checksum"):
        read_group(store, place)
    assert [place["sample_key"] in fault for fault in find_damage(store, samples)] == [True]
    assert read_group(store, place_of(samples, 1)).qa  # the others are whole


def test_a_cut_or_missing_shard_is_found(corpus):
    store, samples = corpus
    place = place_of(samples, 3)
    whole = store.read_bytes(place["shard"])
    store.write_bytes(place["shard"], whole[: place["tokens_offset"] + 9])
    with pytest.raises(ShardError, match="the file ends at byte"):
        read_group(store, place)
    store.delete(place["shard"])
    with pytest.raises(ShardError, match=place["shard"]):
        read_group(store, place)
    assert list(find_damage(store, samples)) == [f"{place['shard']}: the file is gone; build again"]


def test_no_damage_in_a_whole_corpus_and_damage_outside_of_groups_is_found(corpus):
    store, samples = corpus
    assert list(find_damage(store, samples)) == []
    shard = samples["shard"][0].as_py()
    flip(store, shard, store.size(shard) - 1)
    faults = list(find_damage(store, samples))
    assert len(faults) == 1
    assert "differs from its checksum" in faults[0]


def test_a_table_of_another_build_is_found(corpus):
    store, samples = corpus
    pack(store, [write_video(store, n, num_queries=6) for n in range(4)], val_fraction=0.0)
    assert len(list(find_damage(store, samples))) == 4
