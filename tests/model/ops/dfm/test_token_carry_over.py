import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops.dfm import naive
from model.ops.dfm.token_carry_over import TokenCarryOver, source_frames


def tokens(num_frames=60, seed=0, noise=0.05):
    """Tokens of two queries that change now and then, and are noisy: `[2, N, 8]`."""
    rng = torch.Generator().manual_seed(seed)
    cuts = (torch.rand(2, num_frames, generator=rng) < 0.1).cumsum(1)
    levels = torch.randn(2, num_frames + 1, 8, generator=rng)
    still = levels.gather(1, cuts[..., None].expand(-1, -1, 8))
    return still + noise * torch.randn(2, num_frames, 8, generator=rng)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.floats(0, 0.9), st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_agrees_with_the_loops_whatever_the_chunks(seed, tolerance, sizes):
    x = tokens(seed=seed)
    carry_over, parts, at = TokenCarryOver(tolerance), [], 0
    while at < 60:
        size = sizes[len(parts) % len(sizes)]
        parts.append(carry_over(x[:, at : at + size]))
        at += size
    keep = torch.cat(parts, dim=1)
    for query in range(2):
        assert keep[query].tolist() == naive.keep_tokens(x[query].numpy(), tolerance)


@pytest.mark.parametrize("tolerance", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_error_is_bounded_for_every_frame_and_query(tolerance, dtype):
    x = tokens().to(dtype)
    source = source_frames(TokenCarryOver(tolerance)(x))
    error = (x - x.gather(1, source[..., None].expand_as(x))).float().norm(dim=2)
    assert (error <= tolerance * x.float().norm(dim=2) + 1e-6).all()


def test_a_still_video_is_one_token_and_a_lively_one_all():
    assert TokenCarryOver(0.0)(torch.ones(3, 50, 4)).sum(dim=1).tolist() == [1, 1, 1]
    lively = torch.eye(50).expand(3, -1, -1)
    assert TokenCarryOver(0.9)(lively).all()


def test_frames_that_must_keep_theirs_do():
    always = torch.zeros(1, 10, dtype=torch.bool)
    always[0, 4] = True
    keep = TokenCarryOver(0.5)(torch.ones(1, 10, 4), always)
    assert keep.nonzero()[:, 1].tolist() == [0, 4]
    assert source_frames(keep).tolist() == [[0] * 4 + [4] * 6]


def test_errors_name_what_is_wrong():
    for tolerance in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="tolerance"):
            TokenCarryOver(tolerance)
