"""Groups are read by range, and damage is found and named."""

import hashlib
import json

import numpy as np
import pytest

from schemas.tables import FORMAT_VERSION
from tests.workers.shard_units import distill_tensors, pack, write_video
from workers.shards.damage import find_damage
from workers.shards.group import ShardError, decode_clips, decode_group, read_clips, read_group
from workers.storage.safetensors_file import encode_tensors
from workers.storage.store import Store


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


def test_clips_are_read_by_who_asks_for_them(corpus):
    store, samples = corpus
    place = place_of(samples, 2)
    assert "clip_tokens" not in read_group(store, place).sample(1)
    clips = read_clips(store, place)
    assert np.array_equal(read_group(store, place, clips=True).sample(1)["clip_tokens"], clips)
    assert np.array_equal(store.read_tensors(f"units/distill_unit/{place['video_id']}")["clip_tokens"], clips)


def test_no_clips_where_the_recipe_asked_for_none(tmp_path):
    store = Store(tmp_path)
    (place, *_) = pack(store, [write_video(store, 0, clips=False)]).to_pylist()
    assert "clip_tokens" not in read_group(store, place, clips=True).tensors
    with pytest.raises(ShardError, match="distill.hico=true"):
        read_clips(store, place)


def test_a_group_without_its_clips_is_not_fetched_with_them(tmp_path, monkeypatch):
    store = Store(tmp_path)
    samples = pack(store, [write_video(store, 0, num_frames=400)])
    place = samples.to_pylist()[0]
    flip(store, place["shard"], place["clips_offset"] + place["clips_bytes"] - 1)
    assert read_group(store, place).qa
    with pytest.raises(ShardError, match="checksum"):
        read_clips(store, place)
    assert len(list(find_damage(store, samples))) == 1


@pytest.mark.parametrize("offset", [1 << 60, -1])
def test_a_range_beyond_the_shard_is_named(corpus, offset):
    store, samples = corpus
    with pytest.raises(ShardError, match="the file ends at byte"):
        read_group(store, {**place_of(samples, 2), "qa_offset": offset, "tokens_offset": offset})


def test_a_shard_of_another_format_is_named(corpus):
    store, samples = corpus
    place = place_of(samples, 2)
    data = store.read_bytes(place["shard"])
    store.write_bytes(place["shard"], data.replace(b'"format_version":"2"', b'"format_version":"9"'))
    with pytest.raises(ShardError, match="its format_version is 9, this longvid reads 2"):
        read_group(store, place)


@pytest.mark.parametrize("member", ["qa", "tokens", "clips"])
def test_one_flipped_bit_is_found_and_named(corpus, member):
    store, samples = corpus
    place = place_of(samples, 2)
    flip(store, place["shard"], place[f"{member}_offset"] + place[f"{member}_bytes"] - 4)
    with pytest.raises(ShardError, match=f"{place['shard']}: group {place['sample_key']} cannot be read.*checksum"):
        read_group(store, place, clips=True)
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


def member(tensors: dict, qa: bytes = b"") -> bytes:
    """As its author would write it, checksums included."""
    metadata = {"format_version": str(FORMAT_VERSION), "qa_sha256": hashlib.sha256(qa).hexdigest()}
    return b"".join(encode_tensors(tensors, metadata)[0])


@pytest.mark.parametrize("pair", [{}, {"qa_id": 1}, {"qa_id": ["a"]}, [], None, "qa_id"])
def test_a_pair_without_its_id_is_refused(pair):
    qa = json.dumps([pair]).encode()
    with pytest.raises(ValueError, match="each with a qa_id"):
        decode_group(qa, member(distill_tensors(np.random.default_rng(0), 5, 1, 2, clips=False), qa))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("time_s", "?"),
        ("sample_index", "<f8"),
        ("keyframes", "?"),
        ("query_keyframes", "<f4"),
        ("merged_tokens", "<i8"),
    ],
)
def test_a_tensor_of_another_type_is_refused(name, dtype):
    qa = json.dumps([{"qa_id": "a"}]).encode()
    tensors = distill_tensors(np.random.default_rng(0), 5, 1, 2, clips=False)
    with pytest.raises(ValueError, match=f"{name} has"):
        decode_group(qa, member(tensors | {name: tensors[name].astype(dtype)}, qa))


@pytest.mark.parametrize("clips", [np.zeros((4, 3), "<f2"), np.zeros((4, 3, 8), "?"), np.zeros((), "<f2")])
def test_clips_of_another_shape_are_refused(clips):
    with pytest.raises(ValueError, match="clip_tokens has"):
        decode_clips(member({"clip_tokens": clips}))
