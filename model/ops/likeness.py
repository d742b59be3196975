"""Which frames are alike: exact answers at float32 speed.

Cosines are taken in float32, whose error is bounded whatever the order of summation; only the few that lie within the
bound of the threshold are taken again exactly. The answers are those of `Vectors.exact_cosines` to the bit.

Shapes: N vectors, D width, V visits (of queries), A and B some of the vectors.
"""

import torch
from torch import Tensor

from model.ops import similarity
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
        self.bound = similarity.error_bound(vectors.x_ND.shape[1])
        self.type = torch.float32 if _float32_is_whole(vectors.x_ND.device) else torch.float64
        # Outside this range squares would under- or overflow in float32.
        top_N = vectors.top_N
        self.scale = len(vectors) > 0 and not bool((top_N.min() > 1e-12) & (top_N.max() < 1e12))
        lengths = [torch.linalg.vector_norm(self._plain(block), dim=1) for block in vectors.blocks()]
        self.inverse_N = torch.cat(lengths or [top_N]).reciprocal()
        # Embeddings mostly come at length 1: then no product need be scaled, for a little more doubt.
        self.unit = len(vectors) > 0 and bool(((self.inverse_N - 1).abs() <= 1e-6).all())
        self.bound += 4e-6 * self.unit

    def rows_of(self, block: slice) -> Tensor:
        """Consecutive rows at length 1, but for rounding."""
        plain = self._plain(block)
        return plain if self.unit else plain * self.inverse_N[block, None]

    def rows(self, rows_VA: Tensor) -> Tensor:
        """Rows at length 1, but for rounding, `[V, A, D]`, to be passed back to `between`."""
        flat = rows_VA.flatten()
        plain = self._plain(flat)
        return (plain if self.unit else plain.mul_(self.inverse_N[flat, None])).unflatten(0, rows_VA.shape)

    def between(self, a_VA: Tensor, a_VAD: Tensor, b_VB: Tensor, b_VBD: Tensor) -> Tensor:
        """Which of some rows are alike, within each visit, `[V, A, B]` bool.

        Args:
            a_VA, b_VB: indices of rows.
            a_VAD, b_VBD: `rows` of them.
        """
        with torch.autocast(a_VAD.device.type, enabled=False):  # it would take the product in half precision
            alike_VAB, at = self._decide(a_VAD @ b_VBD.mT)
        self._settle(alike_VAB, at, a_VA[at[0], at[1]], b_VB[at[0], at[2]])
        return alike_VAB

    def pairs(self, a_A: Tensor, b_A: Tensor) -> Tensor:
        """Whether row `a[i]` is like row `b[i]`, `[A]` bool."""
        alike_A = torch.empty(len(a_A), dtype=torch.bool)
        for start in range(0, len(a_A), 4096):
            part = slice(start, start + 4096)
            a, b = a_A[part], b_A[part]
            alike_A[part], at = self._decide(torch.linalg.vecdot(self.rows(a), self.rows(b)))
            self._settle(alike_A[part], at, a[at], b[at])
        return alike_A

    def to_all(self, a_A: Tensor) -> Tensor:
        """Which rows some rows are like, `[A, N]` bool."""
        a_AD = self.rows(a_A)
        out_AN = torch.empty(len(a_A), len(self.vectors), dtype=torch.bool)
        # Blocks bound the copies of rows that are not float32 as they lie.
        for start in range(0, len(self.vectors), 8192):
            block = slice(start, start + 8192)
            with torch.autocast(a_AD.device.type, enabled=False):
                cosine_AB = a_AD @ self._plain(block).T
            if not self.unit:
                cosine_AB.mul_(self.inverse_N[block])
            alike_AB, at = self._decide(cosine_AB)
            self._settle(alike_AB, at, a_A[at[0]], at[1] + start)
            out_AN[:, block] = alike_AB
        return out_AN

    def _decide(self, cosine: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What is surely alike, and where that is not sure."""
        sure = cosine >= self.tau + self.bound
        return sure, (sure ^ (cosine >= self.tau - self.bound)).nonzero(as_tuple=True)

    def _settle(self, alike: Tensor, at: tuple[Tensor, ...], a: Tensor, b: Tensor) -> None:
        if len(a):
            exact = self.vectors.exact_pairs(a, b)
            alike[at] = exact >= self.tau if self.inclusive else exact > self.tau

    def _plain(self, rows: Tensor | slice) -> Tensor:
        if self.scale:
            return (self.vectors.x_ND[rows].double() / self.vectors.top_N[rows, None].double()).to(self.type)
        x_ND = self.vectors.x_ND
        # index_select copies rows whole, three times faster than indexing.
        return (x_ND.index_select(0, rows) if isinstance(rows, Tensor) else x_ND[rows]).to(self.type)


def _float32_is_whole(device: torch.device) -> bool:
    """Whether float32 products are computed as such: a program may have allowed TF32 or bfloat16 inside."""
    backend = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    precision: str = backend.matmul.fp32_precision
    if precision == "none":
        precision = torch.backends.fp32_precision  # type: ignore[attr-defined]
    return precision in ("ieee", "none")
