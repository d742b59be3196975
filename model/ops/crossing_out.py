"""Crossing out of all frames those that are like a query's picks, in products that many queries share.

Shapes: N frames, R runs of frames, A picks, Q queries, D width.
"""

import torch
from torch import Tensor

from model.ops.frame_runs import FrameRuns
from model.ops.likeness import Likeness

DOUBTFUL = 1 / 16
"""A pick with a larger share of runs that are not decided is compared with all frames at once."""
COLUMN_ELEMENTS = 2**22
"""Of comparisons with all frames at once: bounds the memory."""


def cross_out(likeness: Likeness, runs: FrameRuns, picks: list[list[int]]) -> Tensor:
    """For each query's picks the frames like one of them, `[Q, N]` bool; a pick that queries share is compared once."""
    pick_A = torch.tensor(sorted(set().union(*picks)), dtype=torch.int64)
    place = {frame: i for i, frame in enumerate(pick_A.tolist())}
    own_QA = torch.zeros(len(picks), len(pick_A), dtype=torch.bool)
    for row_A, frames in zip(own_QA, picks, strict=True):
        row_A[[place[frame] for frame in frames]] = True
    if not runs.worthwhile:
        return _by_frames(likeness, pick_A, own_QA)
    alike_AR, unsure_AR = runs.compare(likeness.rows(pick_A))
    doubtful_A = unsure_AR.sum(dim=1) > DOUBTFUL * unsure_AR.shape[1]
    dead_QN = _any(own_QA, alike_AR).index_select(1, runs.run_N)
    pick, run = (unsure_AR & ~doubtful_A[:, None]).nonzero(as_tuple=True)
    pair, frame = runs.frames(run)
    pick = pick[pair]
    hit = likeness.pairs(pick_A[pick], frame)
    pick, frame = pick[hit], frame[hit]
    for dead_N, own_A in zip(dead_QN, own_QA, strict=True):
        dead_N[frame[own_A[pick]]] = True
    if doubtful_A.any():
        dead_QN |= _by_frames(likeness, pick_A[doubtful_A], own_QA[:, doubtful_A])
    return dead_QN


def _by_frames(likeness: Likeness, pick_A: Tensor, own_QA: Tensor) -> Tensor:
    num_frames = len(likeness.vectors)
    dead_QN = torch.zeros(len(own_QA), num_frames, dtype=torch.bool)
    step = max(16, COLUMN_ELEMENTS // num_frames)
    for pick, own in zip(pick_A.split(step), own_QA.split(step, dim=1), strict=True):
        alike_AN = likeness.to_all(pick)
        for dead_N, own_A in zip(dead_QN, own, strict=True):
            if own_A.any():
                dead_N |= alike_AN[own_A].any(dim=0)
    return dead_QN


def _any(own_QA: Tensor, alike_AR: Tensor) -> Tensor:
    """Which runs are like one of a query's own picks."""
    return own_QA.float() @ alike_AR.float() > 0
