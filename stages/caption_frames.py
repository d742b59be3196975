"""Which frames of a segment a model is shown: by shots and coverage, whatever will be asked about them."""

from collections.abc import Sequence

import numpy as np


def choose_frames(time_s: Sequence[float], cuts_s: Sequence[float], most: int) -> list[int]:
    """Positions of at most `most` frames, ascending.

    First the middle frame of each shot, the longest shots first; then, one after the other, the frame that is farthest
    in time from all that are chosen.

    Args:
        time_s: times of the frames, ascending.
        cuts_s: times at which a shot gives way to the next.
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
