"""A set of vectors to be compared twice: all of them roughly, at float32 speed, and exactly where that does not decide.

Shapes: N vectors, D width, A and B some of them, M other vectors.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from model.ops import similarity

BLOCK = 1024
"""Vectors worked on at once: copies of so many stay in a core's cache."""


class Vectors:
    """Rows to be compared by their cosines.

    Args:
        x_ND: `[N, D]`, any floating-point type and length; not copied.
        name: what to call x in an error.

    Raises:
        ValueError: a row has NaN, infinity, or nothing but zeros.
    """

    def __init__(self, x_ND: Tensor, *, name: str) -> None:
        self.x_ND, self.top_N = x_ND, similarity.largest(x_ND, name=name)
        self.bound = similarity.error_bound(x_ND.shape[1])

    def __len__(self) -> int:
        return self.x_ND.shape[0]

    def blocks(self) -> Iterator[slice]:
        for start in range(0, len(self), BLOCK):
            yield slice(start, min(start + BLOCK, len(self)))

    def units(self, rows: Tensor | slice) -> Tensor:
        """Integers that stand for the rows in exact cosines, `[A, D]` float64: see `similarity.to_units`."""
        return similarity.to_units(self.x_ND[rows], self.top_N[rows])

    def exact_cosines(self, units_MD: Tensor) -> Tensor:
        """Exact cosines of other vectors to all rows, `[M, N]` float64.

        Args:
            units_MD: integers that stand for the other vectors.
        """
        squares_M = similarity.unit_squares(units_MD)
        out_MN = units_MD.new_empty(units_MD.shape[0], len(self))
        for block in self.blocks():
            units = self.units(block)
            out_MN[:, block] = similarity.unit_cosines(units_MD, squares_M, units, similarity.unit_squares(units))
        return out_MN

    def exact_pairs(self, a_A: Tensor, b_A: Tensor) -> Tensor:
        """Exact cosine of row `a[i]` to row `b[i]`, `[A]` float64; the same bits as `exact_cosines` gives."""
        parts = []
        for a, b in zip(a_A.split(BLOCK), b_A.split(BLOCK), strict=True):
            a_units, b_units = self.units(a), self.units(b)
            dots = torch.einsum("nd,nd->n", a_units, b_units)
            parts.append(dots / (similarity.unit_squares(a_units) * similarity.unit_squares(b_units)).sqrt())
        return torch.cat(parts) if parts else self.top_N.new_empty(0, dtype=torch.float64)
