"""Groups are read by range, and damage is found and named."""

import os

import numpy as np
import pytest

from tests.workers.shards.shard_units import encoded_member, pack, write_video
from workers.shards.damage import find_damage
from workers.shards.group import MAX_JSON_BYTES, MAX_MEMBER_BYTES, ShardError, decode_clips, read_clips, read_group
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


@pytest.mark.parametrize(
    "damage",
    [
        {"qa_bytes": -1},
        {"qa_bytes": MAX_JSON_BYTES + 1},
        {"tokens_bytes": -1},
        {"tokens_offset": 0},
    ],
)
def test_ranges_that_cannot_be_those_of_a_group_are_refused(corpus, damage):
    store, samples = corpus
    with pytest.raises(ShardError, match="its byte ranges cannot be those of a group"):
        read_group(store, {**place_of(samples, 2), **damage})


def test_a_range_is_not_read_where_it_is_larger_than_a_group_may_be(corpus):
    store, samples = corpus
    place = place_of(samples, 2)
    os.truncate(store.full(place["shard"]), 1 << 42)  # takes no room on the disk, as whoever published it knows
    with pytest.raises(ShardError, match=f"it has {1 << 40} bytes; {MAX_MEMBER_BYTES} are allowed"):
        read_group(store, {**place, "tokens_bytes": place["qa_offset"] + (1 << 40) - place["tokens_offset"]})


def test_untrusted_names_are_printed_as_text(corpus):
    store, samples = corpus
    with pytest.raises(ShardError) as raised:
        read_group(store, {**place_of(samples, 2), "sample_key": "\x1b[31m", "qa_bytes": -1})
    assert r"group \x1b[31m cannot be read" in str(raised.value)


@pytest.mark.parametrize("offset", [1 << 60, -1])
def test_a_range_beyond_the_shard_is_named(corpus, offset):
    store, samples = corpus
    place = place_of(samples, 2)
    with pytest.raises(ShardError, match="the file ends at byte"):
        read_group(store, {**place, "qa_offset": offset, "tokens_offset": offset + place["qa_bytes"]})


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


@pytest.mark.parametrize("clips", [np.zeros((4, 3), "<f2"), np.zeros((4, 3, 8), "?"), np.zeros((), "<f2")])
def test_clips_of_another_shape_are_refused(clips):
    with pytest.raises(ValueError, match="clip_tokens has"):
        decode_clips(encoded_member({"clip_tokens": clips}))


def test_clips_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="clip_tokens has values that are not finite"):
        decode_clips(encoded_member({"clip_tokens": np.full((4, 3, 8), np.inf, "<f2")}))
