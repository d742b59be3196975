"""Which frames are alike: exact answers at float32 speed.

Cosines are taken in float32, whose error is bounded whatever the order of summation; only the few that lie within the
bound of the threshold are taken again exactly. The answers are those of `Vectors.exact_cosines` to the bit.

Shapes: N vectors, D width, A and B some of them.
"""

import torch
from torch import Tensor

from model.ops.vectors import Vectors


class Likeness:
    """`cos >= tau` (or `> tau`) between the rows of a set.

    Args:
        vectors: the set.
        tau: the threshold.
        inclusive: a cosine of just tau is alike.
    """

    def __init__(self, vectors: Vectors, *, tau: float, inclusive: bool) -> None:
        self.vectors, self.tau, self.inclusive = vectors, tau, inclusive
        self.type = torch.float32 if _float32_is_whole(vectors.x_ND.device) else torch.float64
        # Outside this range squares would under- or overflow in float32.
        top_N = vectors.top_N
        self.scale = len(vectors) > 0 and not bool((top_N.min() > 1e-12) & (top_N.max() < 1e12))
        lengths = [torch.linalg.vector_norm(self._plain(block), dim=1) for block in vectors.blocks()]
        self.inverse_N = torch.cat(lengths or [top_N]).reciprocal()

    def rows(self, rows_A: Tensor) -> Tensor:
        """Rows at length 1, but for rounding, `[A, D]`, to be passed back to `between`."""
        return self._plain(rows_A) * self.inverse_N[rows_A, None]

    def between(self, a_A: Tensor, a_AD: Tensor, b_B: Tensor, b_BD: Tensor) -> Tensor:
        """Which of some rows are alike, `[A, B]` bool.

        Args:
            a_A, b_B: indices of rows.
            a_AD, b_BD: `rows` of them.
        """
        with torch.autocast(a_AD.device.type, enabled=False):  # it would take the product in half precision
            return self._decide(a_AD @ b_BD.T, a_A, b_B)

    def to_all(self, a_A: Tensor) -> Tensor:
        """Which rows some rows are like, `[A, N]` bool."""
        a_AD = self.rows(a_A)
        out_AN = torch.empty(len(a_A), len(self.vectors), dtype=torch.bool, device=a_A.device)
        with torch.autocast(a_AD.device.type, enabled=False):
            for block in self.vectors.blocks():
                cosine_AB = (a_AD @ self._plain(block).T) * self.inverse_N[block]
                out_AN[:, block] = self._decide(cosine_AB, a_A, torch.arange(block.start, block.stop))
        return out_AN

    def _decide(self, cosine_AB: Tensor, a_A: Tensor, b_B: Tensor) -> Tensor:
        alike_AB = cosine_AB >= self.tau
        a, b = ((cosine_AB - self.tau).abs() <= self.vectors.bound).nonzero(as_tuple=True)
        if len(a):
            exact = self.vectors.exact_pairs(a_A[a], b_B[b])
            alike_AB[a, b] = exact >= self.tau if self.inclusive else exact > self.tau
        return alike_AB

    def _plain(self, rows: Tensor | slice) -> Tensor:
        if self.scale:
            return (self.vectors.x_ND[rows].double() / self.vectors.top_N[rows, None].double()).to(self.type)
        return self.vectors.x_ND[rows].to(self.type)


def _float32_is_whole(device: torch.device) -> bool:
    """Whether float32 products are computed as such: a program may have allowed TF32 or bfloat16 inside."""
    backend = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    precision = backend.matmul.fp32_precision
    if precision == "none":
        precision = torch.backends.fp32_precision
    return precision in ("ieee", "none")
