"""Fills the slots left free by the selection, as the released code of ViLaMP does: evenly within the temporal gaps.

Shapes: Q queries, K keyframes, G = K + 1 gaps (intervals without a selected frame, including both ends; some of length
0), N frames.
"""

import torch
from torch import Tensor


def fill_gaps(selected_QK: Tensor, *, num_frames: int) -> Tensor:
    """Fills the free slots (-1) of each row, so that it has min(K, N) frames.

    1. Find the smallest spacing D in 1..N with `sum over gaps of ceil(L / D) - 1 <= free slots` (L: frames in the gap).
    2. Each gap gets n = ceil(L / D) - 1 frames, `step = ceil(L / (n + 1))` apart.
    3. Slots that are still free take the last frames of the video that are not selected yet.

    Args:
        selected_QK: `[Q, K]` int64, distinct frames in any order, -1 for a free slot.
        num_frames: N >= 1.

    Returns:
        `[Q, K]` int64, ascending, padded with -1 at the end if N < K. No host sync.
    """
    k = selected_QK.shape[1]
    taken_QN = _mask(selected_QK, num_frames)
    free_Q = min(k, num_frames) - taken_QN.sum(dim=1)
    start_QG, length_QG = _gaps(selected_QK, num_frames)
    spacing_Q = _spacing(length_QG, free_Q, num_frames)
    count_QG = _count(length_QG, spacing_Q)

    step_QG = _ceil_div(length_QG, count_QG + 1)
    i_K = torch.arange(k, device=selected_QK.device)
    frame_QGK = start_QG[..., None] + step_QG[..., None] * (i_K + 1)
    end_QG1 = (start_QG + length_QG - 1)[..., None]
    frame_QGK = torch.where(i_K < count_QG[..., None], torch.minimum(frame_QGK, end_QG1), -1)
    taken_QN |= _mask(frame_QGK.flatten(1), num_frames)

    free_Q = min(k, num_frames) - taken_QN.sum(dim=1)
    untaken_from_end_QN = (~taken_QN).flip(1).cumsum(dim=1).flip(1)
    taken_QN |= untaken_from_end_QN <= free_Q[:, None]
    return _indices(taken_QN, k)


def _ceil_div(a: Tensor, b: Tensor) -> Tensor:
    return (a + b - 1) // b


def _mask(frames_QX: Tensor, num_frames: int) -> Tensor:
    """Returns `[Q, N]` bool, true for the given frames; -1 falls into an extra column that is dropped."""
    mask = torch.zeros(frames_QX.shape[0], num_frames + 1, dtype=torch.bool, device=frames_QX.device)
    return mask.scatter_(1, torch.where(frames_QX >= 0, frames_QX, num_frames), True)[:, :num_frames]


def _indices(taken_QN: Tensor, k: int) -> Tensor:
    """Returns the columns set in each row, ascending, `[Q, k]`, padded with -1; a row has at most k."""
    num_queries, num_frames = taken_QN.shape
    slot_QN = torch.where(taken_QN, taken_QN.cumsum(dim=1) - 1, k)
    frame_N = torch.arange(num_frames, device=taken_QN.device)
    out = torch.full((num_queries, k + 1), -1, dtype=torch.int64, device=taken_QN.device)
    return out.scatter_(1, slot_QN, frame_N.expand(num_queries, -1))[:, :k]


def _gaps(selected_QK: Tensor, num_frames: int) -> tuple[Tensor, Tensor]:
    """Returns the first frame and the length of each gap, `[Q, K + 1]`; unused gaps have length 0."""
    sorted_QK = torch.where(selected_QK >= 0, selected_QK, num_frames).sort(dim=1).values
    start_QG = torch.nn.functional.pad(sorted_QK + 1, (1, 0), value=0)
    end_QG = torch.nn.functional.pad(sorted_QK, (0, 1), value=num_frames)
    return start_QG, (end_QG - start_QG).clamp(min=0)


def _count(length_QG: Tensor, spacing_Q: Tensor) -> Tensor:
    return (_ceil_div(length_QG, spacing_Q[:, None]) - 1).clamp(min=0)


def _spacing(length_QG: Tensor, free_Q: Tensor, num_frames: int) -> Tensor:
    """Returns the smallest spacing whose frames fit into the free slots, `[Q]`, found by bisection."""
    low_Q, high_Q = torch.ones_like(free_Q), torch.full_like(free_Q, num_frames)
    for _ in range(num_frames.bit_length()):
        middle_Q = (low_Q + high_Q) // 2
        fits_Q = _count(length_QG, middle_Q).sum(dim=1) <= free_Q
        high_Q = torch.where(fits_Q, middle_Q, high_Q)
        low_Q = torch.where(fits_Q, low_Q, (middle_Q + 1).clamp(max=num_frames))
        low_Q = torch.minimum(low_Q, high_Q)
    return high_Q
