from fractions import Fraction

import numpy as np

from workers.media.ticks import seconds


def test_ticks_are_converted_with_one_rounding():
    base = Fraction(1001, 30_000)
    assert seconds(3, base) == 3003 / 30_000
    assert seconds(np.array([0, 1, 2**40]), base).tolist() == [0.0, 1001 / 30_000, (2**40 * 1001) / 30_000]
