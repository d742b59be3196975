"""Cosines whose value depends on the two vectors alone: not on the device, the threads, or the shape of the batch.

A floating-point dot product depends on the order of its sum, so a comparison such as `cos < tau` may fall out otherwise
on a GPU, or when one more query sits in the batch. Here each vector is first rounded to integers ("units") so small
that every product and every partial sum of a dot product is an integer below 2**53: float64 holds those exactly, and
any order of summation gives the same bits. What is left (a product, a root, a division) is rounded element by element,
as IEEE 754 says, the same everywhere. The rounding moves a cosine about as much as float32 would.

Shapes: N vectors, D width, Q queries.
"""

import math

import torch
from torch import Tensor

_EXPONENT_BIAS, _MANTISSA_BITS = 1023, 52


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


def unit_bits(width: int) -> int:
    """Bits of a unit such that the dot product of two rows of this width stays within 2**52."""
    return 26 - math.ceil(math.log2(width) / 2) if width > 1 else 26


def unit_scale(top_N: Tensor, width: int) -> Tensor:
    """The power of two that scales each row to units, `[N]` float64.

    Args:
        top_N: `[N]`, each row's largest magnitude, from `largest`.
        width: D.
    """
    exponent_N = torch.frexp(top_N.double()).exponent.long()
    # Made from its bits: `pow` need not be exact on every device.
    return ((unit_bits(width) - exponent_N + _EXPONENT_BIAS) << _MANTISSA_BITS).view(torch.float64)


def to_units(x_ND: Tensor, scale_N: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Each row scaled and rounded to integers, `[N, D]` float64.

    Args:
        x_ND: `[N, D]`, floating point.
        scale_N: `[N]`, of `unit_scale`.
        out: `[N, D]` float64 to write to.
    """
    wide_ND = x_ND.to(torch.float64, copy=True) if out is None else out.copy_(x_ND)
    return wide_ND.mul_(scale_N[:, None]).round_()


def unit_squares(units_ND: Tensor) -> Tensor:
    """Exact squared length of each row of units, `[N]` float64."""
    return torch.linalg.vecdot(units_ND, units_ND)


def unit_cosines(a_MD: Tensor, a_squares_M: Tensor, b_ND: Tensor, b_squares_N: Tensor) -> Tensor:
    """Cosines of all pairs of rows of units, `[M, N]` float64, each the same in any batch and on any device."""
    return (a_MD @ b_ND.T) / (a_squares_M[:, None] * b_squares_N[None, :]).sqrt()


def cosines(a_MD: Tensor, b_ND: Tensor, *, names: tuple[str, str] = ("a", "b")) -> Tensor:
    """Cosines of all pairs of rows, `[M, N]` float64, each the same in any batch and on any device.

    Raises:
        ValueError: a row has no direction, or the widths differ.
    """
    if a_MD.shape[-1] != b_ND.shape[-1]:
        raise ValueError(
            f"{names[0]} has width {a_MD.shape[-1]}, {names[1]} {b_ND.shape[-1]}: embed both with one tower"
        )
    a, b = (to_units(x, unit_scale(largest(x, name=n), x.shape[1])) for x, n in zip((a_MD, b_ND), names, strict=True))
    return unit_cosines(a, unit_squares(a), b, unit_squares(b))


def error_bound(width: int) -> float:
    """How far a float32 cosine may lie from `cosines`, whatever its order of summation.

    Higham, Accuracy and Stability of Numerical Algorithms, section 3.1: gamma_D for the sums; a few roundings for the
    lengths; and what the rounding to units may move.
    """
    return (2 * width + 16) * 2.0**-24 + 4 * math.sqrt(width) * 2.0 ** -unit_bits(width)
