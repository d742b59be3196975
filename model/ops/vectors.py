"""A set of vectors and its exact cosines, block by block, so that no second copy of a long video is ever held.

Shapes: N vectors, D width, A some of them, M other vectors.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from model.ops import similarity
from model.ops.threads import over_threads

HELD_ELEMENTS = 2**25
"""On a GPU the integers of a set up to this size are made once and held (256 MB)."""


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
        self.scale_N = similarity.unit_scale(self.top_N, x_ND.shape[1])
        on_cpu = x_ND.device.type == "cpu"
        self.block = 512 if on_cpu else 32768  # what stays in a core's cache; what fills a GPU
        self._held = None
        if not on_cpu and x_ND.numel() <= HELD_ELEMENTS:
            units = self.units(slice(None))
            self._held = units, similarity.unit_squares(units)

    def __len__(self) -> int:
        return self.x_ND.shape[0]

    def blocks(self) -> Iterator[slice]:
        for start in range(0, len(self), self.block):
            yield slice(start, min(start + self.block, len(self)))

    def units(self, rows: Tensor | slice) -> Tensor:
        """Integers that stand for the rows in exact cosines, `[A, D]` float64: see `similarity.to_units`."""
        return similarity.to_units(self.x_ND[rows], self.scale_N[rows])

    def exact_cosines(self, units_MD: Tensor, threads: int = 1) -> Tensor:
        """Exact cosines of other vectors to all rows, `[M, N]` float64.

        Args:
            units_MD: integers that stand for the other vectors.
            threads: of the CPU. The cosines don't depend on them.
        """
        squares_M = similarity.unit_squares(units_MD)
        if self._held is not None:
            return similarity.unit_cosines(units_MD, squares_M, *self._held)
        out_MN = units_MD.new_empty(units_MD.shape[0], len(self))

        def fill(blocks: list[slice]) -> None:
            buffer = units_MD.new_empty(min(self.block, len(self)), units_MD.shape[1])
            for block in blocks:
                x = self.x_ND[block]
                units = similarity.to_units(x, self.scale_N[block], out=buffer[: len(x)])
                out_MN[:, block] = similarity.unit_cosines(units_MD, squares_M, units, similarity.unit_squares(units))

        blocks = list(self.blocks())
        over_threads(fill, [blocks[first::threads] for first in range(threads)], threads)
        return out_MN

    def exact_pairs(self, a_A: Tensor, b_A: Tensor) -> Tensor:
        """Exact cosine of row `a[i]` to row `b[i]`, `[A]` float64; the same bits as `exact_cosines` gives."""
        parts = []
        for a, b in zip(a_A.split(self.block), b_A.split(self.block), strict=True):
            a_units, b_units = self.units(a), self.units(b)
            dots = torch.einsum("nd,nd->n", a_units, b_units)
            parts.append(dots / (similarity.unit_squares(a_units) * similarity.unit_squares(b_units)).sqrt())
        return torch.cat(parts) if parts else self.scale_N.new_empty(0)
