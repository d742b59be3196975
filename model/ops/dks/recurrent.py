"""Keyframe selection that keeps repeated occurrences of an event. An addition to ViLaMP.

DKS suppresses every frame similar to a selected one, wherever it lies. If an event happens three times at one place,
the two later occurrences are lost and "how often" cannot be answered. Here a frame is suppressed only if it is similar
to a selected frame and belongs to the same occurrence, that is, if relevance does not fall by a certain depth below the
frame's own between the two. A deep valley of relevance between two similar peaks means that the event ended and
happened again.

    relevance        frame 2 is selected;
      |   *     *    frame 8 is similar, but the valley in between is deeper
      |  * *   * *   than `depth`: another occurrence, so it is kept.
      | *   ***   *
      +------------- frame

The depth follows from the relevance of the query itself, so no threshold depends on the tower: it is `dip` times the
contrast (maximum minus median relevance), but at least FLICKERS times the median change between frames. Frames of
medium relevance cannot exceed a valley by that much and are spread out as in DKS. With `dip = inf`, this is DKS.

Shapes: N frames, Q queries, D width, K keyframes.
"""

import math

import torch
from torch import Tensor

FLICKERS = 6
"""Minimum depth of a valley in multiples of the median change between frames; noise alone rarely reaches it."""


class SameOccurrence:
    """Decides which frames belong to the same occurrence as a selected frame.

    Args:
        relevance_QN: cosines of all frames to each query.
        dip: how far relevance must fall between two occurrences, relative to the query's contrast; above 0.

    Raises:
        ValueError: dip is not above 0.
    """

    def __init__(self, relevance_QN: Tensor, dip: float) -> None:
        if not dip > 0:
            raise ValueError(f"dip = {dip}: must be above 0 (relative to the query's contrast)")
        self.relevance_QN, self.fall_Q = relevance_QN, _depth(relevance_QN, dip)

    def __call__(self, best_Q: Tensor) -> Tensor:
        """Returns the frames of the same occurrence as the selected frame of each query, `[Q, N]` bool; `best_Q` is
        `[Q]`.
        """
        return lowest_between(self.relevance_QN, best_Q) > self.relevance_QN - self.fall_Q[:, None]


def _depth(relevance_QN: Tensor, dip: float) -> Tensor:
    """Returns how far relevance must fall between two occurrences, `[Q]`."""
    if math.isinf(dip):  # inf times a contrast of 0 is NaN
        return torch.full_like(relevance_QN[:, 0], math.inf)
    contrast_Q = relevance_QN.amax(dim=1) - relevance_QN.median(dim=1).values
    if relevance_QN.shape[1] == 1:
        return dip * contrast_Q
    flicker_Q = relevance_QN.diff(dim=1).abs().median(dim=1).values
    return torch.maximum(dip * contrast_Q, FLICKERS * flicker_Q)


def lowest_between(x_QN: Tensor, at_Q: Tensor) -> Tensor:
    """Returns the minimum of each row between every position and the position `at_Q` (both included), `[Q, N]`."""
    place_N = torch.arange(x_QN.shape[1], device=x_QN.device)
    after_QN = x_QN.masked_fill(place_N < at_Q[:, None], math.inf).cummin(dim=1).values
    before_QN = x_QN.masked_fill(place_N > at_Q[:, None], math.inf).flip(1).cummin(dim=1).values.flip(1)
    return torch.where(place_N < at_Q[:, None], before_QN, after_QN)
