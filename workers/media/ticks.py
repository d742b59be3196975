"""Ticks of a container's clock."""

from fractions import Fraction
from typing import Any

import numpy as np


def seconds(ticks: int | np.ndarray, time_base: Fraction) -> Any:
    """Ticks of a time base as seconds, rounded once: a float, or an array of them."""
    return ticks * time_base.numerator / time_base.denominator
