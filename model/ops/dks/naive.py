"""Keyframe selection as loops straight from the formulas: slow, and easy to check by eye. float64, one query.

The kernels are tested against these. `frames` are `[N, D]` and `query` `[D]` embeddings; results ascend.
"""

import itertools
import math

import numpy as np

from model.ops.naive import cosine


def keyframes_paper(frames: np.ndarray, query: np.ndarray, k: int, tau: float) -> list[int]:
    """Visits frames by descending relevance and takes up to k that are similar to none taken (mode `paper`)."""
    relevance = [cosine(frame, query) for frame in frames]
    selected: list[int] = []
    for n in sorted(range(len(frames)), key=lambda n: (-relevance[n], n)):
        if len(selected) < k and all(cosine(frames[n], frames[s]) < tau for s in selected):
            selected.append(n)
    return sorted(selected)


def keyframes_released(frames: np.ndarray, query: np.ndarray, k: int, tau: float, floor: float) -> list[int]:
    """Selects as the released code: a relevance floor, an inclusive threshold, and gaps filled to min(k, N) frames."""
    relevance = [cosine(frame, query) for frame in frames]
    selected: list[int] = []
    for n in sorted(range(len(frames)), key=lambda n: (-relevance[n], n)):
        if len(selected) == k or relevance[n] < floor:
            break
        if all(cosine(frames[n], frames[s]) <= tau for s in selected):
            selected.append(n)
    return fill_gaps(selected, k, len(frames))


def fill_gaps(selected: list[int], k: int, num_frames: int) -> list[int]:
    """Fills the free slots of a selection evenly in its temporal gaps, as `model.ops.dks.gap_fill` describes."""
    taken = set(selected)
    gaps, start = [], 0
    for n in [*sorted(selected), num_frames]:
        if n > start:
            gaps.append((start, n - start))
        start = n + 1
    free = min(k, num_frames) - len(taken)

    def counts(spacing: int) -> list[int]:
        return [math.ceil(length / spacing) - 1 for _, length in gaps]

    spacing = next((d for d in range(1, num_frames + 1) if sum(counts(d)) <= free), num_frames)
    for (start, length), count in zip(gaps, counts(spacing), strict=True):
        step = math.ceil(length / (count + 1))
        for i in range(count):
            taken.add(min(start + step * (i + 1), start + length - 1))
    for start, length in reversed(gaps):
        for n in range(start + length - 1, start - 1, -1):
            if n not in taken and len(taken) < min(k, num_frames):
                taken.add(n)
    return sorted(taken)


def keyframes_recurrent(frames: np.ndarray, query: np.ndarray, k: int, tau: float, dip: float) -> list[int]:
    """Selects as `keyframes_paper`, and takes a similar frame too where relevance falls far enough between the two."""
    relevance = [cosine(frame, query) for frame in frames]
    flicker = sorted(abs(b - a) for a, b in itertools.pairwise(relevance))
    contrast = max(relevance) - sorted(relevance)[(len(relevance) - 1) // 2]
    fall = max(dip * contrast, 6 * flicker[(len(flicker) - 1) // 2])
    selected: list[int] = []

    def same(n: int, s: int) -> bool:
        valley = min(relevance[min(n, s) : max(n, s) + 1])
        return cosine(frames[n], frames[s]) >= tau and valley > relevance[n] - fall

    for n in sorted(range(len(frames)), key=lambda n: (-relevance[n], n)):
        if len(selected) < k and not any(same(n, s) for s in selected):
            selected.append(n)
    return sorted(selected)
