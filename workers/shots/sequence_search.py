"""Finds parts of known videos in others, second by second: also in a cut of half a minute, at another sampling phase.

A known video is taken apart into windows that overlap by half. A window is found where its changes correlate with those
of as many seconds of the other video; both are centred on the window, so that a cut needs no more of its video. A copy
is two windows that are found at about the same offset. Windows in which nothing changes tell nothing.

Shapes: W windows, S seconds of a window, M seconds of a video, D numbers of a descriptor (`near_duplicates.describe`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WINDOW_S = 12
STEP_S = 6
_BLOCK = 256  # windows that are compared at once


@dataclass(frozen=True)
class Windows:
    """The windows of known videos.

    Attributes:
        centred_WSD: float32, descriptors less their mean, each window of length one.
        owner_W: which video.
        start_W: its first second in that video.
    """

    centred_WSD: np.ndarray
    owner_W: np.ndarray
    start_W: np.ndarray


@dataclass(frozen=True)
class Found:
    """A known video of which a part was found."""

    owner: int
    similarity: float
    """Mean correlation of its windows at their offset."""
    seconds: int
    """That were found."""
    offset_s: float
    """What the known video shows at t, the other one shows at t + offset_s."""


def windows_of(videos: Sequence[np.ndarray], *, still: float) -> Windows:
    """The windows of videos, each float32 [M, D], that change by at least `still` (mean square)."""
    made, owners, starts = [], [], []
    for owner, seconds in enumerate(videos):
        for start in range(0, len(seconds) - WINDOW_S + 1, STEP_S):
            window = seconds[start : start + WINDOW_S] - seconds[start : start + WINDOW_S].mean(axis=0)
            energy = float(np.square(window).sum())
            if energy >= still * WINDOW_S:
                made.append(window / np.sqrt(energy))
                owners.append(owner)
                starts.append(start)
    width = videos[0].shape[1] if len(videos) else 1
    stacked = np.stack(made) if made else np.zeros((0, WINDOW_S, width))
    return Windows(stacked.astype(np.float32), np.array(owners, int), np.array(starts, int))


def search(windows: Windows, video_MD: np.ndarray, *, agree: float, least: int = 2, slack_s: int = 2) -> list[Found]:
    """The known videos of which parts are in a video, the most similar first.

    Args:
        windows: of the known videos.
        video_MD: descriptors, one per second.
        agree: correlation that counts as found.
        least: windows that must be found at offsets that differ by at most `slack_s`.
    """
    if len(video_MD) < WINDOW_S or not len(windows.owner_W):
        return []
    scores, at = _best(windows.centred_WSD, video_MD.astype(np.float32))
    hit = np.flatnonzero(scores >= agree)
    found = []
    for owner in np.unique(windows.owner_W[hit]):
        own = hit[windows.owner_W[hit] == owner]
        offsets = at[own] - windows.start_W[own]
        # The offset that most windows share.
        near = np.abs(offsets[:, None] - offsets[None]) <= slack_s
        members = own[near[int(near.sum(axis=1).argmax())]]
        if len(members) >= least:
            offset = float(np.median(at[members] - windows.start_W[members]))
            seconds = len(np.unique(windows.start_W[members][:, None] + np.arange(WINDOW_S)))
            found.append(Found(int(owner), round(float(scores[members].mean()), 4), seconds, offset))
    return sorted(found, key=lambda f: (-f.similarity, f.owner))


def _best(centred_WSD: np.ndarray, video_MD: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest correlation of each window, and the second of the video at which it begins."""
    places = len(video_MD) - WINDOW_S + 1
    sums = np.concatenate([np.zeros((1, video_MD.shape[1])), np.cumsum(video_MD, axis=0, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(video_MD).sum(axis=1, dtype=np.float64))])
    means = (sums[WINDOW_S:] - sums[:-WINDOW_S]) / WINDOW_S
    energy = squares[WINDOW_S:] - squares[:-WINDOW_S] - WINDOW_S * np.square(means).sum(axis=1)
    scores, at = np.zeros(len(centred_WSD)), np.zeros(len(centred_WSD), int)
    for start in range(0, len(centred_WSD), _BLOCK):
        block = centred_WSD[start : start + _BLOCK]
        products = block.reshape(-1, block.shape[2]) @ video_MD.T
        by_second = products.reshape(len(block), WINDOW_S, -1)
        # A centred window has no sum, so the mean of the other side need not be taken off.
        total = sum(by_second[:, s, s : s + places] for s in range(WINDOW_S))
        correlation = total / np.sqrt(np.maximum(energy, 1e-6))
        at[start : start + _BLOCK] = correlation.argmax(axis=1)
        scores[start : start + _BLOCK] = correlation.max(axis=1)
    return scores, at
