"""Lengths and directions of rows, checked once.

Shapes: N vectors, D width.
"""

import torch
from torch import Tensor


def largest(x_ND: Tensor, *, name: str) -> Tensor:
    """The largest magnitude of each row, `[N]` in x's type, after the one check of the values (one host sync).

    Raises:
        ValueError: x is not 2-D floating point, or a row has NaN, infinity, or nothing but zeros (no direction).
    """
    if x_ND.ndim != 2 or not x_ND.is_floating_point():
        raise ValueError(
            f"{name}: expected a 2-D floating-point tensor [rows, width], got {x_ND.dtype} of shape "
            f"{list(x_ND.shape)}. Pass one vector a row"
        )
    if x_ND.shape[1] == 0:
        raise ValueError(f"{name}: rows of width 0 have no direction")
    # Two maxima pass NaN on, copy nothing, and are many times faster than the infinity norm.
    top_N = torch.maximum(x_ND.amax(dim=1), x_ND.amin(dim=1).neg_())
    bad_N = ~((top_N > 0) & (top_N < float("inf")))
    if bad_N.any():
        row = int(bad_N.nonzero()[0])
        found = "only zeros" if top_N[row] == 0 else "NaN or infinity"
        raise ValueError(f"{name}[{row}] has {found}: it has no direction. Drop that row or embed it again")
    return top_N


def normalize(x_ND: Tensor, *, name: str = "x") -> Tensor:
    """The rows of x at length 1, in x's type (computed in float32 or better).

    Args:
        x_ND: `[N, D]`, floating point.
        name: what to call x in an error.

    Raises:
        ValueError: a row has NaN, infinity, or nothing but zeros; the message has `name` and the row's index.
    """
    top_N = largest(x_ND, name=name)
    wide_ND = x_ND if x_ND.dtype == torch.float64 else x_ND.float()
    # Divided by its largest magnitude first, no square under- or overflows.
    wide_ND = wide_ND / top_N.to(wide_ND.dtype)[:, None]
    return (wide_ND / torch.linalg.vector_norm(wide_ND, dim=1, keepdim=True)).to(x_ND.dtype)
