import numpy as np
import pytest

from model.time_prompt import time_prompt


@pytest.mark.parametrize(
    ("duration_s", "frames", "phase"),
    [(600.0, 600, 0.5), (1234.5, 64, 0.0), (40_000.0, 10_000, 0.75), (2.0, 1, 0.5), (3.0, 2, 0.0)],
)
def test_duration_is_that_of_the_video_whose_intervals_have_a_frame_each(duration_s, frames, phase):
    time_s = (np.arange(frames) + phase) * duration_s / frames
    prompt = time_prompt(time_s, np.arange(frames))
    assert prompt == f"The video lasts for {duration_s:.2f} seconds, and {frames} frames are uniformly sampled from it."
    assert time_prompt(time_s + 5, np.arange(frames), duration_s=duration_s) == prompt


def test_a_known_duration_is_told_whatever_the_frames_tell():
    assert "lasts for 10.20 seconds" in time_prompt(np.arange(11.0), np.arange(11), duration_s=10.2)


def test_long_form_lists_the_times_of_the_frames_with_tokens():
    assert time_prompt(np.array([0.26, 1.0, 2.0, 3.04]), np.array([0, 1, 3]), "long") == (
        "The video lasts for 3.71 seconds, and 3 frames are uniformly sampled at 0.3, 1.0, 3.0 seconds."
    )
