"""Every sample once, by chance from ids alone, and few groups at a time for each rank."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.shards.sample_order import epoch_order

COUNTS = st.lists(st.integers(1, 9), min_size=1, max_size=30)


def ids(counts) -> pa.ChunkedArray:
    return pa.chunked_array([[f"{n:016x}" for n, count in enumerate(counts) for _ in range(count)]])


@given(
    counts=COUNTS, seed=st.integers(0, 9), epoch=st.integers(0, 3), interleaved=st.integers(1, 8), shuffle=st.booleans()
)
@settings(max_examples=100, deadline=None)
def test_every_sample_comes_once(counts, seed, epoch, interleaved, shuffle):
    order = epoch_order(ids(counts), seed, epoch, interleaved, shuffle)
    assert np.array_equal(np.sort(order), np.arange(sum(counts)))
    assert np.array_equal(order, epoch_order(ids(counts), seed, epoch, interleaved, shuffle))


def test_epochs_and_seeds_differ():
    counts = [7] * 40
    orders = {tuple(epoch_order(ids(counts), seed, epoch, 4)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_unshuffled_without_interleaving_is_the_table():
    assert epoch_order(ids([3, 1, 4]), 0, 0, 1, shuffle=False).tolist() == list(range(8))


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_a_rank_works_through_one_video_at_a_time(world_size):
    counts = np.random.default_rng(0).integers(1, 30, 200)
    interleaved = 8
    order = epoch_order(ids(counts), 1, 0, interleaved)
    video = np.repeat(np.arange(200), counts)[order]
    full = len(order) - 8 * 30  # where no video has run out yet
    for rank in range(world_size):
        mine = video[rank:full:world_size]
        others = np.setdiff1d(video, mine)
        assert len(others) or world_size == 1
        spans = {v: np.flatnonzero(mine == v) for v in np.unique(mine)}
        # Seen every interleaved / W-th time until it is done with: contiguous among its own, never met again.
        assert all((np.diff(at) == interleaved // world_size).all() for at in spans.values())


def test_videos_that_begin_together_begin_at_different_pairs():
    counts = [10] * 64
    order = epoch_order(ids(counts), 0, 0, 64)
    assert len(set((order[:64] % 10).tolist())) > 5
