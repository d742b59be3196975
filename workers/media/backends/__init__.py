"""Each module is a decoder with `decode(path, segment, short_side=..., threads=...)`, a generator of SampledFrames."""

from typing import NamedTuple

import numpy as np


class SampledFrame(NamedTuple):
    """Holds a sampled frame. The counts are cumulative: those of the last frame are those of the whole segment."""

    sample_index: int
    time_s: float  # true presentation time of the frame that was kept
    rgb: np.ndarray  # [height, width, 3] uint8, upright, square pixels
    wanted: int  # frames of the segment that are wanted: more than are given where some don't decode
    source_width: int  # of the frame as it was decoded
    source_height: int
    decoder_errors: int = 0  # frames of the segment on which the decoder reported errors
    frames_decoded: int | None = None  # packets that the decoder was given; None: a library that does not tell
