"""Frames by shots and coverage."""

import numpy as np
import pytest

from stages.caption_frames import choose_frames


def test_all_frames_of_few():
    assert choose_frames([0.5, 1.5, 2.5], [1.0], 3) == [0, 1, 2]


def test_each_shot_is_seen_in_its_middle_and_the_rest_is_covered():
    time_s = np.arange(100) + 0.25  # never at the centres of intervals
    chosen = choose_frames(time_s, [10.0, 14.0], 6)
    assert {4, 11} <= {*chosen} and len(chosen) == 6
    gaps = np.diff([time_s[0], *time_s[chosen], time_s[-1]])
    assert gaps.max() <= 30


def test_of_more_shots_than_frames_the_longest_are_seen():
    chosen = choose_frames(np.arange(20.0), [4.5, 5.5, 12.5, 13.5], 3)
    assert chosen == [2, 9, 16]


@pytest.mark.parametrize("cuts", [[], [-1.0, 200.0], [50.0] * 3])
def test_cuts_that_cut_nothing(cuts):
    chosen = choose_frames(np.arange(100.0), cuts, 5)
    assert len({*chosen}) == 5 and chosen == sorted(chosen)
