import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops import similarity
from tests.model.ops import reference


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_rows_come_out_at_length_one(dtype):
    x = torch.randn(50, 33, generator=torch.Generator().manual_seed(0)).to(dtype)
    unit = similarity.normalize(x)
    assert unit.dtype == dtype
    torch.testing.assert_close(
        unit.double().norm(dim=1), torch.ones(50).double(), atol=4 * torch.finfo(dtype).eps, rtol=0
    )


@pytest.mark.parametrize("scale", [1e-38, 1e-30, 1e30, 3e38])
def test_rows_near_the_ends_of_float32_have_a_direction(scale):
    unit = similarity.normalize(torch.tensor([[3.0, 4.0]]) / 4 * scale)
    torch.testing.assert_close(unit, torch.tensor([[0.6, 0.8]]))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 0.0])
def test_a_row_without_direction_is_named(bad):
    x = torch.ones(5, 3)
    x[3] = bad if bad == 0 else torch.tensor([1.0, bad, 1.0])
    with pytest.raises(ValueError, match=r"frames\[3\]"):
        similarity.normalize(x, name="frames")


@settings(deadline=None)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1), st.floats(-6, 6))
def test_cosines_agree_with_the_formula(width, seed, decades):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(3, width)) * 10**decades, rng.normal(size=(4, width))
    ours = similarity.cosines(torch.tensor(a), torch.tensor(b))
    theirs = [[reference.cosine(x, y) for y in b] for x in a]
    np.testing.assert_allclose(ours, theirs, atol=similarity.error_bound(width), rtol=0)


@settings(deadline=None)
@given(st.integers(1, 700), st.integers(0, 2**32 - 1))
def test_a_cosine_has_the_same_bits_in_any_batch_and_order_of_summation(width, seed):
    rng = np.random.default_rng(seed)
    a, b = (torch.tensor(rng.normal(size=(n, width)), dtype=torch.float32) for n in (5, 37))
    whole = similarity.cosines(a, b)
    shuffle = torch.tensor(rng.permutation(width))
    assert torch.equal(whole, similarity.cosines(a[:, shuffle], b[:, shuffle]))
    assert torch.equal(whole[2:3, 7:8], similarity.cosines(a[2:3], b[7:8]))
    assert torch.equal(whole.T, similarity.cosines(b, a))


def test_a_vector_is_exactly_like_itself_and_its_multiples():
    x = torch.randn(40, 513, generator=torch.Generator().manual_seed(1))
    assert torch.equal(similarity.cosines(x, x * 4).diagonal(), torch.ones(40).double())


@pytest.mark.parametrize("width", [1, 2, 3, 512, 513, 4096])
def test_units_are_whole_and_their_dot_products_below_2_to_53(width):
    x = torch.cat([torch.ones(1, width), torch.randn(20, width, generator=torch.Generator().manual_seed(2))])
    units = similarity.to_units(x, similarity.unit_scale(similarity.largest(x, name="x"), width))
    assert torch.equal(units, units.round())
    exact = [sum(int(v) ** 2 for v in row) for row in units.tolist()]
    assert max(exact) <= 2**52
    assert similarity.unit_squares(units).tolist() == exact


def test_width_zero_and_other_ranks_are_refused():
    with pytest.raises(ValueError, match="width 0"):
        similarity.normalize(torch.ones(2, 0))
    with pytest.raises(ValueError, match="2-D"):
        similarity.normalize(torch.ones(3))
    with pytest.raises(ValueError, match="a has width 2, b 3"):
        similarity.cosines(torch.ones(1, 2), torch.ones(1, 3))


def test_the_bound_covers_what_float32_does():
    rng = torch.Generator().manual_seed(3)
    for width in (4, 64, 1024):
        a, b = (torch.randn(100, width, generator=rng) for _ in range(2))
        rough = torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(b).T
        error = (rough.double() - similarity.cosines(a, b)).abs().max().item()
        assert error < similarity.error_bound(width) < 1e-3
        assert math.isfinite(error)
