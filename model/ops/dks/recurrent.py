"""A selection beyond ViLaMP's: differential keyframes that know a second time from the same time.

DKS drops every frame that is like a pick, wherever it lies: of an event that happens three times in one place, the
two later times are gone, and "how often" cannot be answered. Here a frame is dropped only where it is like a pick AND
of the same occurrence: between the two, relevance never falls by a certain depth below the frame's own. A deep valley
of relevance between two alike peaks means that what the query asks for was over, and came again.

How deep is read off the query's own relevance, so that nothing is tuned to a tower: `dip` is a share of the contrast
(the best relevance less the median), but never less than what it flickers from frame to frame. Frames of middling
relevance cannot stand out by that much, and are spread as DKS spreads them. With `dip = inf` this is DKS.

Shapes: N frames, Q queries, D width, K keyframes.
"""

import math

import torch
from torch import Tensor

FLICKERS = 6
"""Times the median change from one frame to the next that a valley must be deep, in noise alone a rare thing."""


class SameOccurrence:
    """Tells which frames are of the same occurrence as a pick: relevance never falls far between the two.

    Args:
        relevance_QN: cosines of all frames to each query.
        dip: how far relevance must fall between two occurrences, as a share of the query's contrast, above 0.

    Raises:
        ValueError: dip is not above 0.
    """

    def __init__(self, relevance_QN: Tensor, dip: float) -> None:
        if not dip > 0:
            raise ValueError(f"dip = {dip}: a share of the query's contrast, above 0")
        self.relevance_QN, self.fall_Q = relevance_QN, _depth(relevance_QN, dip)

    def __call__(self, best_Q: Tensor) -> Tensor:
        """For the pick of each query, `[Q]`, the frames of its occurrence, `[Q, N]` bool."""
        return lowest_between(self.relevance_QN, best_Q) > self.relevance_QN - self.fall_Q[:, None]


def _depth(relevance_QN: Tensor, dip: float) -> Tensor:
    """How far relevance must fall between two occurrences, `[Q]`."""
    if math.isinf(dip):  # times no contrast it would be NaN
        return torch.full_like(relevance_QN[:, 0], math.inf)
    contrast_Q = relevance_QN.amax(dim=1) - relevance_QN.median(dim=1).values
    if relevance_QN.shape[1] == 1:
        return dip * contrast_Q
    flicker_Q = relevance_QN.diff(dim=1).abs().median(dim=1).values
    return torch.maximum(dip * contrast_Q, FLICKERS * flicker_Q)


def lowest_between(x_QN: Tensor, at_Q: Tensor) -> Tensor:
    """For each row and place the lowest value from there to the row's place `at`, both included: `[Q, N]`."""
    place_N = torch.arange(x_QN.shape[1], device=x_QN.device)
    after_QN = x_QN.masked_fill(place_N < at_Q[:, None], math.inf).cummin(dim=1).values
    before_QN = x_QN.masked_fill(place_N > at_Q[:, None], math.inf).flip(1).cummin(dim=1).values.flip(1)
    return torch.where(place_N < at_Q[:, None], before_QN, after_QN)
