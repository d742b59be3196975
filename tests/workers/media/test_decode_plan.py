from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from workers.media.decode_plan import Segment, make_plan
from workers.media.packet_index import PacketIndex


def index_of(groups: list[str]) -> PacketIndex:
    """Groups of pictures in the order of their times, a tick apart: I starts one, P is referred to, b is not.

    As encoders write them: a P before the b's that are shown before it.
    """
    shown = "".join(groups)
    assert set(shown) <= set("IPb")
    order, waiting = [], []
    for time, kind in enumerate(shown):
        waiting.append(time)
        if kind != "b":
            order += [waiting[-1], *waiting[:-1]]
            waiting = []
    order += waiting
    kinds = np.array(list(shown))[order]
    number = len(order)
    return PacketIndex(
        pts_P=np.array(order, np.int64),
        duration_P=np.ones(number, np.int64),
        random_access_P=kinds == "I",
        gop_start_P=kinds == "I",
        shown_P=np.ones(number, bool),
        disposable_P=kinds == "b",
        pts_offset_P=np.zeros(number, np.int64),
        time_base=Fraction(1, 10),
        missing_pts=False,
        reordered=True,
        discontinuities=0,
        error="",
    )


def segment_of(index: PacketIndex, period_s: float, tolerance: float) -> Segment:
    seconds = (int(index.pts_P.max(initial=0)) + 1) / 10
    return Segment(
        segment_index=0,
        start_s=0.0,
        end_s=seconds,
        seek_pts=0,
        first_sample=0,
        num_samples=max(1, int(seconds / period_s)),
        sample_origin_s=min(period_s / 2, seconds / 2),
        sample_period_s=period_s,
        sample_tolerance_s=tolerance * period_s,
    )


def wanted(groups: list[str], period_s: float, tolerance: float) -> list[int]:
    index = index_of(groups)
    return make_plan(index, segment_of(index, period_s, tolerance)).wanted_pts_W.tolist()


def test_without_tolerance_the_frame_shown_at_each_sample():
    assert wanted(["IPPPPPPPPP", "IPPPPPPPPP"], 1.0, 0.0) == [5, 15]


def test_a_key_frame_within_tolerance_comes_first():
    assert wanted(["IPPPPPP", "IPPPPPPPPPPPP"], 1.0, 0.25) == [7, 13]


def test_the_last_of_a_group_is_taken_early_the_others_near():
    assert wanted(["IPPPPPPPPPPPPPPPPPPPPPPPPPPPPP"], 1.0, 0.25) == [5, 15, 23]


def test_a_frame_as_far_away_as_the_tolerance_is_within_it():
    assert wanted(["IPPPPPPPPPPPPPP"], 1.0, 0.3) == [2]
    assert wanted(["IPPPPPPP", "IPPPPPP"], 1.0, 0.3) == [8]


def test_a_frame_that_others_need_comes_before_one_that_nobody_needs():
    assert wanted(["IbbbPbbbPbbbPbbbPbbbPbbbPbbbPb"], 1.0, 0.25) == [4, 16, 24]


def test_a_frame_held_for_long_is_kept_where_nothing_else_starts_near():
    index = index_of(["IPPP"])
    index = replace(index, pts_P=index.pts_P * 20)
    segment = replace(segment_of(index, 1.0, 0.25), end_s=8.0, num_samples=8)
    assert make_plan(index, segment).wanted_pts_W.tolist() == [0, 20, 40, 60]


def test_a_key_frame_held_for_long_is_left_to_the_sample_that_has_nothing_else():
    index = index_of(["IPP", "I", "I"])
    index = replace(index, pts_P=np.array([0, 3, 5, 7, 20]))
    segment = replace(segment_of(index, 1.0, 0.25), end_s=2.5, num_samples=2, sample_origin_s=0.5)
    # 0.5 s could have the key frame at 0.7 s, the only one that starts before 1.5 s and later than that.
    assert make_plan(index, segment).wanted_pts_W.tolist() == [3, 7]


groups = st.lists(
    st.builds(lambda minis: "I" + "".join("b" * b + "P" for b in minis), st.lists(st.integers(0, 3), max_size=8)),
    min_size=1,
    max_size=8,
)


@given(
    groups=groups,
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    period_s=st.floats(0.1, 3.0),
    tolerance=st.floats(0.0, 0.49),
)
@example(groups=["I", "I", "IPPPbbbP", "IbbbPbbbP", "IPPPbbbP"], steps=[1], period_s=0.65625, tolerance=0.46875)
@example(groups=["IPPPPPPPPP", "I" + "P" * 29] * 2, steps=[1], period_s=1.0, tolerance=0.49999)
def test_each_sample_has_its_own_frame_within_tolerance(groups, steps, period_s, tolerance):
    index = index_of(groups)
    times = np.concatenate([[0], np.cumsum(np.resize(steps, len(index)))])
    index = replace(index, pts_P=times[index.pts_P])
    segment = segment_of(index, period_s, tolerance)
    exact, plan = make_plan(index, replace(segment, sample_tolerance_s=0.0)), make_plan(index, segment)
    # More than exact ones: two samples of one frame may have other frames near.
    assert set(plan.sample_index_W) >= set(exact.sample_index_W)
    assert (np.diff(plan.wanted_pts_W) > 0).all()
    sample_s = segment.sample_times()[plan.sample_index_W]
    start_s = np.sort(index.pts_P) / 10
    # A thousandth of a tick: see `_NEAR`.
    shown_s = start_s[np.maximum(np.searchsorted(start_s, sample_s + 1e-4, side="right") - 1, 0)]
    away_s = np.abs(plan.wanted_pts_W / 10 - sample_s)
    assert ((away_s < segment.sample_tolerance_s + 1e-4 + 1e-9) | (plan.wanted_pts_W / 10 == shown_s)).all()
    # At most a key frame more, where the frame it stands for is decoded all the same.
    if len(plan.wanted_pts_W) == len(exact.wanted_pts_W):
        assert plan.send_P.sum() <= exact.send_P.sum() + len(groups)


@given(
    groups=groups,
    steps=st.lists(st.integers(1, 2000), min_size=1, max_size=20),
    start=st.integers(0, 4 * 10**18),
    period_s=st.floats(1e-9, 1e-3),
    tolerance=st.floats(0.0, 0.49),
)
def test_times_ascend_where_floats_cannot_tell_them_apart(groups, steps, start, period_s, tolerance):
    index = index_of(groups)
    times = start + np.concatenate([[0], np.cumsum(np.resize(steps, len(index)))])
    index = replace(index, pts_P=times[index.pts_P], time_base=Fraction(1, 10**9))
    start_s, end_s = start / 10**9, int(times[-1]) / 10**9
    segment = replace(
        segment_of(index_of(groups), 1.0, 0.0),
        **{"start_s": start_s, "end_s": end_s, "seek_pts": start, "num_samples": 1 + int((end_s - start_s) / period_s)},
        **{"sample_origin_s": start_s, "sample_period_s": period_s, "sample_tolerance_s": tolerance * period_s},
    )
    plan = make_plan(index, segment)
    assert len(plan.time_s_W) > 0
    assert (np.diff(plan.time_s_W) > 0).all()
    assert plan.time_s_W[0] >= start_s
    assert (plan.time_s_W[1:] < end_s).all()
