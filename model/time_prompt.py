"""The duration prompt: tells the language model when the frames of a video were taken (VideoChat-Flash, section 3)."""

from typing import Literal

import numpy as np

TimePrompt = Literal["short", "long"]


def time_prompt(
    time_s: np.ndarray, frames: np.ndarray, form: TimePrompt = "short", duration_s: float | None = None
) -> str:
    """The published prompt, in its short form or in the long one that lists the times.

    Args:
        time_s: [N] presentation times of all frames of the video, ascending.
        frames: [T] positions of the frames that have a token in the sequence, ascending.
        form: `short` tells the duration and T, `long` each frame's time as well.
        duration_s: of the video; None: what the N frames tell of it.
    """
    lasts_s = _duration_s(time_s) if duration_s is None else duration_s
    start = f"The video lasts for {lasts_s:.2f} seconds, and {len(frames)} frames are uniformly sampled"
    if form == "short":
        return f"{start} from it."
    return f"{start} at {', '.join(f'{t:.1f}' for t in time_s[frames])} seconds."


def _duration_s(time_s: np.ndarray) -> float:
    """N equal intervals, as there is a frame in each; of a single frame, twice its time."""
    if len(time_s) == 1:
        return float(2 * time_s[0])
    return float((time_s[-1] - time_s[0]) * len(time_s) / (len(time_s) - 1))
