"""Windows of known videos, in which other videos are searched for them (`sequence_search`).

A video is split into windows that overlap. Static windows are left out. A video with fewer than LEAST_WINDOWS windows,
since it is short or static, is represented by its descriptors at some places instead (`Look`).

Shapes: W windows, S seconds of a window, M seconds of a video, D numbers of a descriptor (`near_duplicates.describe`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WINDOW_S = 12
STEP_S = 3
LEAST_WINDOWS = 2
LEAST_S = 3
"""Seconds of a short video that must show more than an even grey or black."""
_LOOKS = 8  # windows of a short or still video
_FLAT_NORM = 0.85  # a frame of even brightness has a descriptor of the embedding alone, of length 0.71


@dataclass(frozen=True)
class Look:
    """Holds a window of a short or still video.

    Attributes:
        owner: which video.
        start: its first second in that video.
        seconds_SD: descriptors, S at most WINDOW_S.
        needed: windows of the video that must be found.
    """

    owner: int
    start: int
    seconds_SD: np.ndarray
    needed: int


@dataclass(frozen=True)
class Windows:
    """Holds the windows of known videos.

    Attributes:
        centred_WSD: float32, descriptors less their mean, each window of length one.
        mean_WD: float32, their means.
        owner_W: which video.
        start_W: its first second in that video.
        changing_O: seconds in which each video changes.
        looks: windows of the videos that have less than two of those.
        still: mean square of the changes below which nothing changes.
    """

    centred_WSD: np.ndarray
    mean_WD: np.ndarray
    owner_W: np.ndarray
    start_W: np.ndarray
    changing_O: np.ndarray
    looks: tuple[Look, ...]
    still: float

    def is_known(self, owner: int) -> bool:
        """Returns whether a video has windows or looks; it has none if less than LEAST_S seconds show something."""
        return bool((self.owner_W == owner).any()) or any(look.owner == owner for look in self.looks)


def windows_of(videos: Sequence[np.ndarray], *, still: float) -> Windows:
    """Returns the windows of videos, each float32 [M, D], that change by at least `still` (mean square)."""
    made: list[np.ndarray] = []
    means: list[np.ndarray] = []
    looks: list[Look] = []
    owners, starts, changing = [], [], []
    for owner, seconds in enumerate(videos):
        before = len(made)
        for start in range(0, len(seconds) - WINDOW_S + 1, STEP_S):
            mean = seconds[start : start + WINDOW_S].mean(axis=0)
            window = seconds[start : start + WINDOW_S] - mean
            energy = float(np.square(window).sum())
            if energy >= still * WINDOW_S:
                made.append(window / np.sqrt(energy))
                means.append(mean)
                owners.append(owner)
                starts.append(start)
        changing.append(covered(np.array(starts[before:], int)))
        if len(made) - before < LEAST_WINDOWS:
            looks += _looks(owner, seconds)
    width = videos[0].shape[1] if len(videos) else 1
    stacked = np.stack(made) if made else np.zeros((0, WINDOW_S, width))
    mean_WD = np.stack(means) if means else np.zeros((0, width))
    places = np.array(owners, int), np.array(starts, int), np.array(changing, int)
    return Windows(stacked.astype(np.float32), mean_WD.astype(np.float32), *places, tuple(looks), still)


def covered(starts: np.ndarray) -> int:
    """Returns the number of seconds that windows cover."""
    return len(np.unique(starts[:, None] + np.arange(WINDOW_S)))


def _looks(owner: int, seconds_MD: np.ndarray) -> list[Look]:
    length = min(len(seconds_MD), WINDOW_S)
    count = min(_LOOKS, 1 + (len(seconds_MD) - length) // WINDOW_S)
    starts = np.linspace(0, len(seconds_MD) - length, count).astype(int)
    parts = [(int(start), seconds_MD[start : start + length]) for start in starts]
    parts = [(start, part) for start, part in parts if np.count_nonzero(shows(part)) >= LEAST_S]
    return [Look(owner, start, part, min(LEAST_WINDOWS, len(parts))) for start, part in parts]


def shows(seconds_MD: np.ndarray) -> np.ndarray:
    """Returns which seconds show more than uniform brightness, bool [M]."""
    return np.asarray(np.linalg.norm(seconds_MD, axis=1) >= _FLAT_NORM)
