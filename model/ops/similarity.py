"""Norms and unit vectors of rows, with one check of the values.

Shapes: N vectors, D width.
"""

import torch
from torch import Tensor


def largest(x_ND: Tensor, *, name: str) -> Tensor:
    """Returns the largest magnitude of each row, `[N]` in the type of x, after checking the values (one host sync).

    Raises:
        ValueError: x is not 2-D floating point, or a row is zero or not finite.
    """
    if x_ND.ndim != 2 or not x_ND.is_floating_point():
        raise ValueError(
            f"{name}: expected a 2-D floating-point tensor [rows, width], got {x_ND.dtype} of shape "
            f"{list(x_ND.shape)}. Pass one vector per row"
        )
    if x_ND.shape[1] == 0:
        raise ValueError(f"{name}: rows of width 0 cannot be normalised")
    # Two maxima propagate NaN, copy nothing and are many times faster than the infinity norm.
    top_N = torch.maximum(x_ND.amax(dim=1), x_ND.amin(dim=1).neg_())
    bad_N = ~((top_N > 0) & (top_N < float("inf")))
    if bad_N.any():
        row = int(bad_N.nonzero()[0])
        found = "only zeros" if top_N[row] == 0 else "NaN or infinity"
        raise ValueError(f"{name}[{row}] has {found}, so its cosine is undefined. Drop that row or embed it again")
    return top_N


def normalize(x_ND: Tensor, *, name: str = "x") -> Tensor:
    """Normalises the rows of x to unit length in the type of x; computes in float32 or better.

    Args:
        x_ND: `[N, D]`, floating point.
        name: name of x in error messages.

    Raises:
        ValueError: a row is zero or not finite; the message contains `name` and the index of the row.
    """
    top_N = largest(x_ND, name=name)
    wide_ND = x_ND if x_ND.dtype == torch.float64 else x_ND.float()
    # Dividing by the largest magnitude first keeps the squares from under- or overflowing.
    wide_ND = wide_ND / top_N.to(wide_ND.dtype)[:, None]
    unit_ND: Tensor = wide_ND / torch.linalg.vector_norm(wide_ND, dim=1, keepdim=True)
    return unit_ND.to(x_ND.dtype)
