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
from collections.abc import Callable

import torch
from torch import Tensor

from model.ops.likeness import Likeness
from model.ops.vectors import Vectors

FLICKERS = 6
"""Times the median change from one frame to the next that a valley must be deep, in noise alone a rare thing."""


def pick_recurrences(frames: Vectors, relevance_QN: Tensor, k: int, *, tau: float, dip: float) -> Tensor:
    """Greedy picks of each query, of every occurrence where DKS takes the first.

    Args:
        frames: the video.
        relevance_QN: float64, exact.
        k: most picks a query.
        tau: cosine from which a frame is like a pick.
        dip: how far relevance must fall between two occurrences, as a share of the query's contrast, above 0.

    Returns:
        `[Q, K]` int64 in the order of picking, padded with -1.

    Raises:
        ValueError: dip is not above 0.
    """
    if not dip > 0:
        raise ValueError(f"dip = {dip}: a share of the query's contrast, above 0")
    fall_Q = _depth(relevance_QN, dip)
    like = _alike_on(frames, tau)
    left_QN, picks = relevance_QN.clone(), []
    for _ in range(min(k, len(frames))):
        best_Q = left_QN.argmax(dim=1)  # the first of equals
        found_Q = left_QN.gather(1, best_Q[:, None]).squeeze(1) > -torch.inf
        picks.append(torch.where(found_Q, best_Q, -1))
        same_QN = lowest_between(relevance_QN, best_Q) > relevance_QN - fall_Q[:, None]
        left_QN.masked_fill_(like(best_Q) & same_QN, -torch.inf)
        left_QN.scatter_(1, best_Q[:, None], -torch.inf)
    return torch.nn.functional.pad(torch.stack(picks, dim=1), (0, k - len(picks)), value=-1)


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


def _alike_on(frames: Vectors, tau: float) -> Callable[[Tensor], Tensor]:
    """Which frames are like some, `[Q] -> [Q, N]` bool: on a CPU at float32 speed, with the same answers."""
    if frames.x_ND.device.type == "cpu":
        return Likeness(frames, tau=tau, inclusive=True).to_all
    return lambda best_Q: frames.exact_cosines(frames.units(best_Q)) >= tau
