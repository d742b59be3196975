"""Ticks of a container's clock."""

from fractions import Fraction
from typing import Any

import numpy as np


def seconds(ticks: int | np.ndarray, time_base: Fraction) -> Any:
    """Converts ticks of a time base to seconds with one rounding: a float, or an array of floats."""
    return ticks * time_base.numerator / time_base.denominator
