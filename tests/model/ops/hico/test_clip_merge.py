from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops.hico import naive
from model.ops.hico.clip_merge import merge_clips, schedule

GOLDEN = Path(__file__).parent / "golden" / "hico_merge.npz"


def clips(batch, tokens, width, seed=0, dtype=torch.float32):
    return torch.randn(batch, tokens, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(
        dtype
    )


def test_schedule_is_that_of_the_paper():
    assert schedule(784, 64) == [392, 196, 98, 34]
    assert schedule(3136, 64) == [1568, 784, 392, 196, 98, 34]
    assert schedule(64, 64) == schedule(9, 64) == []


@pytest.mark.parametrize("case", sorted({name.split("_")[0] for name in np.load(GOLDEN)}))
def test_tokens_are_those_of_the_authors_code(case):
    golden = np.load(GOLDEN)
    heads, target = golden[f"{case}_heads_target"].tolist()
    ours = merge_clips(torch.tensor(golden[f"{case}_x"]), heads=heads, target=target)
    torch.testing.assert_close(ours, torch.tensor(golden[f"{case}_y"]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("tokens", "target", "heads"),
    [(1, 1, 1), (5, 4, 2), (36, 16, 4), (100, 7, 1), (75, 64, 3), (64, 64, 2), (3, 64, 1)],
)
def test_agrees_with_the_loops(tokens, target, heads, dtype):
    x = clips(2, tokens, 24, dtype=dtype)
    ours = merge_clips(x, heads=heads, target=target, return_sizes=True, return_sources=True)
    assert ours.tokens.dtype == dtype
    for clip in range(2):
        theirs, sizes, sources = naive.merge_clip(x[clip].double().numpy(), heads, target)
        assert ours.sizes[clip].tolist() == sizes.tolist()
        assert ours.sources[clip].tolist() == sources.tolist()
        tolerance = 4 * max(torch.finfo(dtype).eps, 1e-6)
        np.testing.assert_allclose(ours.tokens[clip].double(), theirs, atol=tolerance, rtol=tolerance)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 200), st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_every_patch_goes_into_one_token(tokens, target, seed):
    x = clips(2, tokens, 8, seed)
    ours = merge_clips(x, heads=2, target=target, return_sizes=True, return_sources=True)
    kept = min(tokens, target)
    assert ours.tokens.shape == (2, kept, 8)
    assert ours.sizes.sum(dim=1).tolist() == [tokens, tokens]
    for clip in range(2):
        counts = torch.bincount(ours.sources[clip], minlength=kept)
        assert counts.tolist() == ours.sizes[clip].tolist()
        means = torch.zeros(kept, 8).index_add_(0, ours.sources[clip], x[clip]) / counts[:, None]
        torch.testing.assert_close(ours.tokens[clip], means, atol=1e-5, rtol=1e-5)


def test_equal_tokens_merge_lowest_index_first():
    x = torch.ones(1, 8, 4)
    ours = merge_clips(x, heads=1, target=6, return_sources=True)
    assert ours.sources.tolist() == [[2, 2, 2, 3, 0, 4, 1, 5]]


def test_autocast_does_not_change_the_matches():
    x = clips(2, 196, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = merge_clips(x, heads=4)
    assert torch.equal(inside, merge_clips(x, heads=4))


def test_gradient_of_a_patch_is_its_share_of_the_token():
    x = clips(1, 30, 8, dtype=torch.float64).requires_grad_()
    ours = merge_clips(x, heads=2, target=9, return_sizes=True, return_sources=True)
    ours.tokens.sum().backward()
    share = 1 / ours.sizes[0, ours.sources[0]]
    torch.testing.assert_close(x.grad[0], share[:, None].expand(-1, 8).double())


def test_clips_do_not_matter_to_one_another():
    x = clips(5, 196, 32)
    whole = merge_clips(x, heads=4)
    torch.testing.assert_close(whole[3:4], merge_clips(x[3:4], heads=4))


def test_errors_name_what_is_wrong():
    for x, heads, target, match in [
        (torch.ones(1, 4, 6), 4, 2, "heads = 4"),
        (torch.ones(1, 4, 6), 2, 0, "target = 0"),
        (torch.ones(4, 6), 2, 2, r"\[4, 6\]"),
        (torch.full((1, 4, 6), float("nan")), 2, 2, r"x\[0, 0\]: the mean over its heads has NaN"),
        (torch.tensor([[[1.0, 1], [0, 0], [1, 2]]]), 2, 2, r"x\[0, 1\]: the mean over its heads has zeros"),
    ]:
        with pytest.raises(ValueError, match=match):
            merge_clips(x, heads=heads, target=target)


@pytest.mark.parametrize("num_tokens", [4, 30])
def test_no_clips_give_no_tokens(num_tokens):
    ours = merge_clips(torch.ones(0, num_tokens, 6), heads=2, target=4, return_sizes=True, return_sources=True)
    assert [list(part.shape) for part in ours] == [[0, 4, 6], [0, 4], [0, num_tokens]]
