from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.media.test_decode_plan import index_of
from workers.media.frame_choice import Reach, ShownFrames, choose_frames

groups = st.lists(
    st.builds(lambda minis: "I" + "".join("b" * b + "P" for b in minis), st.lists(st.integers(0, 3), max_size=4)),
    min_size=1,
    max_size=5,
)


def shown_frames(pattern: list[str]) -> ShownFrames:
    index = index_of(pattern)
    return ShownFrames.of(index, np.argsort(index.pts_P))


def reach_of(frames: ShownFrames, ticks: np.ndarray, away: int) -> Reach:
    # Earliest and latest as a plan has them: no frame is in reach of two samples.
    return Reach.of(frames.pts_S, ticks - away, ticks, ticks + away, 0, len(frames.pts_S))


def test_depth_is_what_is_decoded_of_the_group_up_to_a_frame():
    frames = shown_frames(["IbbPbbP", "IP"])
    assert frames.depth_S.tolist() == [1, 2, 2, 2, 3, 3, 3, 1, 2]
    assert frames.decoded(np.array([0, 4, 5, 8]))[1].tolist() == [5, 2]


def test_a_key_frame_serves_the_sample_before_it_and_what_is_decoded_anyway_the_one_nearest_to_it():
    frames = shown_frames(["IPPPPPPPPP", "IPPPPPPPPP"])
    ticks = np.array([3, 8, 13, 18])
    chosen = choose_frames(frames, ticks, reach_of(frames, ticks, 2))
    assert chosen.tolist() == [1, 10, 13, 16]


@given(pattern=groups, gap=st.integers(1, 6), first=st.integers(0, 5), away=st.integers(0, 2))
def test_no_other_choice_decodes_less(pattern, gap, first, away):
    frames = shown_frames(pattern)
    ticks = np.arange(first, len(frames.pts_S), max(gap, 2 * away + 1))[:5]
    if not len(ticks):
        return
    reach = reach_of(frames, ticks, away)
    chosen = choose_frames(frames, ticks, reach)
    assert ((chosen >= reach.low_N) & (chosen < reach.high_N)).all()
    choices = product(*(range(low, high) for low, high in zip(reach.low_N, reach.high_N, strict=True)))
    least = min(frames.decoded(np.array(choice))[1].sum() for choice in choices)
    assert frames.decoded(chosen)[1].sum() == least
