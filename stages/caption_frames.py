"""Chooses the frames of a segment that a model describes, by shots and coverage, independent of any question."""

from collections.abc import Sequence

import numpy as np


def choose_frames(time_s: Sequence[float], cuts_s: Sequence[float], most: int) -> list[int]:
    """Returns the positions of at most `most` frames, ascending.

    The middle frames of the shots are chosen first, the longest shots before others; then repeatedly the frame that is
    farthest in time from all chosen frames.

    Args:
        time_s: times of the frames in seconds, ascending.
        cuts_s: times of the cuts in seconds.
        most: maximum number of frames.
    """
    times = np.asarray(time_s, np.float64)
    if len(times) <= most:
        return list(range(len(times)))
    shots = np.split(np.arange(len(times)), np.searchsorted(times, np.sort(cuts_s)))
    longest = sorted((shot for shot in shots if len(shot)), key=lambda shot: (-len(shot), shot[0]))[:most]
    chosen = [int(shot[np.argmin(abs(times[shot] - (times[shot[0]] + times[shot[-1]]) / 2))]) for shot in longest]
    distance = abs(times[:, None] - times[chosen]).min(axis=1)
    while len(chosen) < most:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, abs(times - times[chosen[-1]]))
    return sorted(chosen)
