import numpy as np
import pytest

from model.time_prompt import time_prompt


@pytest.mark.parametrize(("duration_s", "frames"), [(600.0, 600), (1234.5, 64), (40_000.0, 10_000), (2.0, 1)])
def test_duration_is_that_of_the_video_whose_intervals_the_frames_are_centres_of(duration_s, frames):
    time_s = (np.arange(frames) + 0.5) * duration_s / frames
    prompt = time_prompt(time_s, np.arange(frames))
    assert prompt == f"The video lasts for {duration_s:.2f} seconds, and {frames} frames are uniformly sampled from it."


def test_long_form_lists_the_times_of_the_frames_with_tokens():
    assert time_prompt(np.array([0.26, 1.0, 2.0, 3.04]), np.array([0, 1, 3]), "long") == (
        "The video lasts for 3.50 seconds, and 3 frames are uniformly sampled at 0.3, 1.0, 3.0 seconds."
    )
