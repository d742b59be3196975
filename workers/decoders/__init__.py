"""One decoder a file, each `decode(path, segment, short_side=..., threads=...)`, a generator of Pictures."""

from typing import NamedTuple

import numpy as np


class Picture(NamedTuple):
    """A picture that was sampled."""

    sample_index: int
    time_s: float  # true presentation time of the frame that was kept
    rgb: np.ndarray  # [height, width, 3] uint8, upright, square pixels
    wanted: int  # pictures of the segment that are wanted: more than are given where some don't decode
