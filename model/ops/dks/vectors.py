"""Cosines of a set of vectors to other vectors, in float32 for any input type.

Shapes: N vectors, D width, M other vectors.
"""

import torch
from torch import Tensor

from model.ops import similarity


class Vectors:
    """Holds vectors that are compared with others by cosine similarity. Float32 input is not copied.

    Args:
        x_ND: `[N, D]`, N > 0, floating point; rows need not be normalised.
        name: name of x in error messages.

    Attributes:
        length_N: `[N]`, norm of each row; `dots` divided by it are cosines.

    Raises:
        ValueError: a row is zero or not finite.
    """

    def __init__(self, x_ND: Tensor, *, name: str) -> None:
        top_N = similarity.largest(x_ND, name=name)
        if not bool((top_N.min() > 1e-12) & (top_N.max() < 1e12)):  # squares would under- or overflow in float32
            x_ND = x_ND.double() / top_N.double()[:, None]
        self.x_ND = x_ND.to(torch.float32 if _float32_is_exact(x_ND.device) else torch.float64)
        self.length_N = torch.linalg.vector_norm(self.x_ND, dim=1)

    def __len__(self) -> int:
        return self.x_ND.shape[0]

    def unit(self, rows: Tensor) -> Tensor:
        """Returns the given rows at unit length, `[M, D]`."""
        return self.x_ND.index_select(0, rows).div_(self.length_N.index_select(0, rows)[:, None])

    def dots(self, unit_MD: Tensor) -> Tensor:
        """Returns the dot products of unit vectors with all rows, `[M, N]`; divided by `length_N`, they are cosines."""
        return unit_MD @ self.x_ND.T


def _float32_is_exact(device: torch.device) -> bool:
    """Returns whether float32 products are computed in float32; a program may have enabled TF32 or bfloat16."""
    backend = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    precision: str = backend.matmul.fp32_precision
    if precision == "none":
        precision = torch.backends.fp32_precision  # type: ignore[attr-defined]
    return precision in ("ieee", "none")
