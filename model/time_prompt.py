"""Builds the time prompt, which states when the frames of a video were taken (VideoChat-Flash, section 3)."""

from typing import Literal

import numpy as np

TimePrompt = Literal["short", "long"]


def time_prompt(
    time_s: np.ndarray, frames: np.ndarray, form: TimePrompt = "short", duration_s: float | None = None
) -> str:
    """Returns the published prompt in its short form, or in its long form with the time of each frame.

    Args:
        time_s: [N] presentation times of all frames of the video, ascending.
        frames: [T] positions of the frames that have a token in the sequence, ascending.
        form: `short`: duration and T; `long`: the time of each frame as well.
        duration_s: duration of the video; None: estimated from the times of the frames.
    """
    lasts_s = _duration_s(time_s) if duration_s is None else duration_s
    start = f"The video lasts for {lasts_s:.2f} seconds, and {len(frames)} frames are uniformly sampled"
    if form == "short":
        return f"{start} from it."
    return f"{start} at {', '.join(f'{t:.1f}' for t in time_s[frames])} seconds."


def _duration_s(time_s: np.ndarray) -> float:
    """Estimates the duration as N equal intervals with one frame each; with a single frame, as twice its time."""
    if len(time_s) == 1:
        return float(2 * time_s[0])
    return float((time_s[-1] - time_s[0]) * len(time_s) / (len(time_s) - 1))
