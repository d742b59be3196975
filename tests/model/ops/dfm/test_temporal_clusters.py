import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops.dfm import naive
from model.ops.dfm.temporal_clusters import merge_temporal_clusters


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 45), st.integers(0, 2**32 - 1))
def test_agrees_with_the_loops(num_frames, budget, seed):
    tokens = np.random.default_rng(seed).normal(size=(num_frames, 5)).cumsum(axis=0)
    ours = merge_temporal_clusters(torch.tensor(tokens), budget)
    theirs = naive.merge_temporal_clusters(tokens, budget)
    assert ours.sizes.tolist() == [len(run) for run in theirs]
    assert ours.cluster_of.tolist() == [i for i, run in enumerate(theirs) for _ in run]
    np.testing.assert_allclose(ours.tokens, [tokens[run].mean(axis=0) for run in theirs], atol=1e-9)


def test_tokens_go_where_the_video_changes():
    """Still for 80 frames, lively for 20."""
    tokens = torch.cat([torch.zeros(80, 20), torch.eye(20)])
    ours = merge_temporal_clusters(tokens, 21)
    assert ours.sizes.tolist() == [80, *[1] * 20]
    assert torch.equal(ours.tokens[ours.cluster_of], tokens)


def test_the_error_is_below_that_of_pooling_every_n():
    rng = torch.Generator().manual_seed(0)
    cuts = (torch.rand(400, generator=rng) < 0.1).cumsum(0)
    tokens = torch.randn(400, 16, generator=rng)[cuts] + 0.1 * torch.randn(400, 16, generator=rng)
    ours = merge_temporal_clusters(tokens, 40)
    pooled = tokens.view(40, 10, 16).mean(dim=1).repeat_interleave(10, dim=0)
    assert (tokens - ours.tokens[ours.cluster_of]).square().sum() < 0.2 * (tokens - pooled).square().sum()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_no_frames_and_a_budget_to_spare(dtype):
    assert merge_temporal_clusters(torch.ones(0, 4, dtype=dtype), 3).sizes.tolist() == []
    tokens = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    ours = merge_temporal_clusters(tokens, 9)
    assert ours.tokens.dtype == dtype
    assert torch.equal(ours.tokens, tokens)


def test_errors_name_what_is_wrong():
    for tokens, budget in [(torch.ones(3, 4), 0), (torch.ones(3), 1), (torch.full((3, 4), float("nan")), 1)]:
        with pytest.raises(ValueError, match="budget"):
            merge_temporal_clusters(tokens, budget)
