import pytest
import torch

from model.ops import similarity


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


def test_width_zero_and_other_ranks_are_refused():
    with pytest.raises(ValueError, match="width 0"):
        similarity.normalize(torch.ones(2, 0))
    with pytest.raises(ValueError, match="2-D"):
        similarity.normalize(torch.ones(3))
