import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops.dks import naive
from model.ops.dks.keyframes import select_keyframes
from model.ops.dks.recurrent import lowest_between


def select(frames, queries, **options):
    return select_keyframes(frames, queries, mode="recurrent", **options)


def recurring(times=((10, 14), (40, 45), (70, 72)), num_frames=90, width=32, seed=0):
    """One scene in which an event happens at some times; the query asks for it."""
    rng = np.random.default_rng(seed)
    scene, event = rng.normal(size=(2, width))
    frames = scene + 0.05 * rng.normal(size=(num_frames, width))
    for start, end in times:
        frames[start:end] += 0.5 * event
    return torch.tensor(frames, dtype=torch.float32), torch.tensor(event + 0.2 * scene, dtype=torch.float32)[None]


def test_every_occurrence_gets_a_keyframe_where_dks_takes_one():
    frames, query = recurring()
    inside = [set(range(start, end)) for start, end in ((10, 14), (40, 45), (70, 72))]
    ours = set(select(frames, query, k=6).of(0))
    theirs = set(select_keyframes(frames, query, k=6).of(0))
    assert all(ours & span for span in inside)
    assert sum(bool(theirs & span) for span in inside) == 1


def test_one_long_occurrence_is_not_told_twice():
    frames, query = recurring(times=((10, 60),))
    assert len(set(select(frames, query, k=6).of(0)) & set(range(10, 60))) == 1


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0.05, 2))
def test_agrees_with_the_loops(seed, k, dip):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(5, 16)) + 0.5
    frames = torch.tensor(centers[rng.integers(0, 5, 60)] + 0.4 * rng.normal(size=(60, 16)))
    queries = torch.tensor(rng.normal(size=(3, 16)))
    ours = select(frames, queries, k=k, tau=0.8, dip=dip)
    for row in range(3):
        assert ours.of(row) == naive.keyframes_recurrent(frames.numpy(), queries[row].numpy(), k, 0.8, dip)


def test_an_infinite_dip_is_dks():
    frames, query = recurring()
    for video in (frames, torch.ones(20, 32)):
        ours = select(video, query, k=8, dip=float("inf"))
        assert torch.equal(ours.indices, select_keyframes(video, query, k=8).indices)


def test_queries_do_not_matter_to_one_another():
    frames, query = recurring()
    others = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    whole = select(frames, torch.cat([others, query]), k=6)
    assert torch.equal(whole.indices[5:], select(frames, query, k=6).indices)


def test_no_frames_one_frame_and_still_videos():
    query = torch.ones(2, 4)
    assert select(torch.ones(0, 4), query, k=3).counts.tolist() == [0, 0]
    assert select(torch.ones(1, 4), query, k=3).indices.tolist() == [[0, -1, -1]] * 2


def test_the_lowest_between_two_places():
    x = torch.tensor([[3.0, 1, 2, 5, 4], [3.0, 1, 2, 5, 4]])
    assert lowest_between(x, torch.tensor([2, 4])).tolist() == [[1, 1, 2, 2, 2], [1, 1, 2, 4, 4]]


def test_errors_name_what_is_wrong():
    for options, match in [({"dip": 0.0}, "dip = 0"), ({"k": 0}, "k = 0")]:
        with pytest.raises(ValueError, match=match):
            select(torch.ones(3, 4), torch.ones(1, 4), **options)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_selects_what_a_cpu_selects():
    frames, query = recurring(num_frames=500)
    here, there = (select(frames.to(d), query.to(d), k=8) for d in ("cpu", "cuda"))
    assert torch.equal(here.indices, there.indices.cpu())
