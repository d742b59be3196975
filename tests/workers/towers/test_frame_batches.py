"""Frames of decode units in batches of one shape."""

import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_towers import random_frame, write_frames
from workers.storage.store import Store
from workers.towers.frame_batches import frame_batches


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("corpus"))
    for name, count in (("five", 5), ("one", 1), ("none", 0), ("eight", 8)):
        write_frames(store, name, list(range(count)))
    return store


def batches_of(store, units, batch, threads=2):
    return list(frame_batches(store, units, lambda frame: frame, batch=batch, threads=threads))


@given(
    units=st.lists(st.sampled_from(["five", "one", "none", "eight"]), max_size=4),
    batch=st.integers(1, 9),
    threads=st.integers(1, 3),
)
@settings(max_examples=30, deadline=None)
def test_all_frames_come_in_order_and_the_last_is_repeated(store, units, batch, threads):
    every = [frame for unit in units for b in batches_of(store, [unit], 1) for frame in b.pixels]
    found = batches_of(store, units, batch, threads)
    assert all(b.pixels.shape[0] == batch for b in found)
    assert [b.count for b in found[:-1]] == [batch] * (len(found) - 1)
    taken = [frame for b in found for frame in b.pixels[: b.count]]
    assert len(taken) == len(every) and all(torch.equal(a, b) for a, b in zip(taken, every, strict=True))
    assert all(torch.equal(frame, every[-1]) for b in found for frame in b.pixels[b.count :])


def test_the_frames_of_one_row_group_are_held(tmp_path):
    store = Store(tmp_path)
    write_frames(store, "long", list(range(512)))
    size = max(table.nbytes for table in store.row_groups("long", ["jpeg"]))
    before = pa.total_allocated_bytes()
    held = [
        pa.total_allocated_bytes() - before
        for _ in frame_batches(store, ["long", "long"], lambda frame: frame, batch=8, threads=1)
    ]
    # A unit is eight of them. Arrow reads ahead, and other tests may still hold something.
    assert len(held) == 128 and max(held) < 6 * size


def test_frames_are_those_that_were_written(store):
    (batch,) = batches_of(store, ["five"], 5)
    for seed, frame in enumerate(batch.pixels):
        assert (frame.float() - random_frame(seed).float()).abs().mean() < 6


def test_frames_of_several_sizes_are_fitted(tmp_path):
    store = Store(tmp_path)
    write_frames(store, "wide", [1, 2], size=(48, 80))
    write_frames(store, "tall", [3], size=(80, 48))
    (batch,) = frame_batches(store, ["wide", "tall"], lambda frame: frame[:, :40, :40], batch=4, threads=1)
    assert batch.pixels.shape == (4, 3, 40, 40) and batch.count == 3


def test_a_damaged_frame_is_an_error_at_once(tmp_path):
    store = Store(tmp_path)
    write_frames(store, "good", [1])
    table = store.read_table("good")
    broken = table.set_column(table.schema.get_field_index("jpeg"), "jpeg", [[b"no jpeg"]])
    store.write_tables("broken", [broken], table.schema)
    with pytest.raises(ValueError, match="a frame cannot be decoded"):
        batches_of(store, ["broken"], 2)
