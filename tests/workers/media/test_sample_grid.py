import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.config import ConfigError, parse
from stages.shard import ShardConfig
from tests.numbered_video import read_number, write_video
from tests.planned_video import grid_of, planned
from tests.workers.media.test_decode_plan import groups, index_of
from workers.media.decode_plan import make_plan
from workers.media.frame_decoder import sample_frames
from workers.media.packet_index import PacketIndex
from workers.media.probe import probe
from workers.media.sample_grid import PHASES, AccessPoints, Sampling, plan_samples, segments


@pytest.mark.parametrize(
    ("duration_s", "samples", "period"),
    [
        (600.0, 600, 1.0),
        (600.4, 600, 1.0),
        (600.6, 601, 1.0),
        (10.0, 64, 10 / 64),
        (40_000.0, 10_000, 4.0),
        (0.1, 64, 0.1 / 64),
    ],
)
def test_sampling_by_duration(duration_s, samples, period):
    sampling = ShardConfig().sampling(0.0, duration_s)
    assert (sampling.num_samples(0.5), sampling.period_s) == (samples, pytest.approx(period))


phases = st.sampled_from(PHASES) | st.floats(0, 1, exclude_max=True)


@given(duration_s=st.floats(0.001, 20_000), fps=st.floats(0.01, 30), phase=phases)
def test_both_ends_of_a_video_are_near_a_sample(duration_s, fps, phase):
    sampling = ShardConfig(fps=fps).sampling(3.0, duration_s)
    times, end_s, period_s = sampling.times(phase), 3.0 + duration_s, sampling.period_s
    assert 3.0 <= times[0] <= 3.0 + period_s
    assert end_s - period_s * (1 + 1e-6) <= times[-1] < end_s or len(times) == 1
    np.testing.assert_allclose(np.diff(times), period_s, rtol=1e-6)


@given(
    keys=st.lists(st.floats(0.01, 50), max_size=60),
    start_s=st.floats(-2, 100),
    tail_s=st.floats(0.01, 80),
    fps=st.floats(0.01, 5),
    segment_s=st.floats(0.1, 100),
    phase=phases,
)
def test_segments_share_out_the_samples(keys, start_s, tail_s, fps, segment_s, phase):
    times = start_s + np.cumsum([0.0, *keys])
    sampling = ShardConfig(fps=fps, segment_s=segment_s, min_frames=3).sampling(start_s, times[-1] - start_s + tail_s)
    found = segments(AccessPoints((times * 1000).astype(np.int64), times), sampling, phase)
    owned = [i for s in found for i in range(s.first_sample, s.first_sample + s.num_samples)]
    assert owned == list(range(sampling.num_samples(phase)))
    for segment in found:
        assert segment.start_s in times
        first, *_, last = [segment.start_s, *segment.sample_times()][1:] * 2
        assert segment.start_s - 1e-6 <= first <= last < segment.end_s + 1e-6
    for segment, following in itertools.pairwise(found):
        assert segment.end_s <= following.start_s
        assert segment.end_s - segment.start_s >= segment_s - 1e-6


@given(
    times=st.lists(st.floats(-1e300, 1e300) | st.just(4.8e18), min_size=1, max_size=60),
    segment_s=st.floats(1e-9, 1e300),
    duration_s=st.floats(0, 1e300),
)
def test_times_beyond_any_sense_have_an_end(times, segment_s, duration_s):
    """Where `t + segment_s == t` too, and where key frames have one time."""
    times = np.sort(times)
    sampling = ShardConfig(segment_s=segment_s, max_frames=50, min_frames=3).sampling(times[0], duration_s)
    found = segments(AccessPoints(np.arange(len(times)), times), sampling, 0.5)
    owned = [i for s in found for i in range(s.first_sample, s.first_sample + s.num_samples)]
    assert owned == list(range(sampling.num_samples(0.5)))
    numbers = [segment.segment_index for segment in found]
    assert numbers == sorted(set(numbers))


def test_a_segment_ends_on_the_next_key_frame_where_a_clock_is_too_coarse_for_its_length():
    times = np.array([4.8e18, 4.8e18 + 2**12, 4.8e18 + 2**13])
    sampling = ShardConfig(fps=2**-10).sampling(4.8e18, 3 * 2.0**12)
    found = segments(AccessPoints(np.arange(3), times), sampling, 0.5)
    assert [segment.start_s for segment in found] == list(times)
    assert [segment.end_s for segment in found] == [*times[1:], 4.8e18 + 3 * 2.0**12]


@pytest.mark.parametrize("phase", ["middle", "0.5", 1.0, -0.1, True, None, [0.5], float("nan"), {}])
def test_what_is_no_phase_is_named(phase):
    with pytest.raises(ConfigError, match="phase = .*must be auto, centre, start, or a share of the interval"):
        parse(ShardConfig, {"phase": phase})


@pytest.mark.parametrize(("phase", "origin_s"), [("centre", 2.5), ("start", 2.0), (0, 2.0), (0.75, 2.75)])
def test_a_phase_that_is_asked_for_is_taken(phase, origin_s):
    index, points = pattern(["IPPPPPPPPP"] * 5, 20)
    sampling = parse(ShardConfig, {"phase": phase, "min_frames": 1}).sampling(2.0, 5.0)
    chosen, _ = plan_samples(index, AccessPoints(points.pts, points.time_s), sampling)
    assert sampling.times(chosen)[0] == origin_s


def pattern(groups: list[str], first_pts: int = 0, steps: tuple[int, ...] = (1,)) -> tuple[PacketIndex, AccessPoints]:
    """Groups of frames, a tick (a tenth of a second) or `steps` apart: see `index_of`."""
    index = index_of(groups)
    times = first_pts + np.concatenate([[0], np.cumsum(np.resize(steps, len(index)))])
    index = replace(index, pts_P=times[index.pts_P])
    pts = np.sort(index.pts_P[index.random_access_P])
    return index, AccessPoints(pts, pts / 10)


def sampling_of(index: PacketIndex, **config) -> Sampling:
    end = int(index.pts_P.max()) + 1
    return ShardConfig(min_frames=1, **config).sampling(0.0, end / 10)


def test_the_phase_that_suits_the_key_frames_is_found():
    """Key frames on whole seconds are within a quarter of a second of all samples, of the last one too."""
    index, points = pattern(["IPPPPPPPPP"] * 20)
    auto, centre = (plan_samples(index, points, sampling_of(index, phase=p)) for p in ("auto", "centre"))
    assert auto == (0.25, [20])  # a frame for each sample
    assert centre[0] == 0.5 and sum(centre[1]) == 20 * 4
    assert plan_samples(index, points, sampling_of(index, phase="auto", tolerance=0.0)) == (0.09375, [20])


def test_ties_go_to_the_centre():
    index, points = pattern(["I"] * 100)
    assert plan_samples(index, points, sampling_of(index))[0] == 0.5
    index = replace(index, missing_pts=True)  # all frames are decoded, whatever is sampled
    assert plan_samples(index, AccessPoints(points.pts[:1], points.time_s[:1]), sampling_of(index)) == (0.5, [100])


@given(
    groups=groups,
    steps=st.lists(st.integers(1, 12), min_size=1, max_size=20),
    fps=st.floats(0.3, 5.0),
    tolerance=st.floats(0.0, 0.49),
    segment_s=st.floats(0.5, 100),
)
def test_no_more_is_decoded_than_at_the_centre_and_as_much_as_was_counted(groups, steps, fps, tolerance, segment_s):
    index, points = pattern(groups, steps=tuple(steps))
    config = {"fps": fps, "tolerance": tolerance, "segment_s": segment_s}
    auto, centre = (sampling_of(index, phase=phase, **config) for phase in ("auto", "centre"))
    (phase, counts), (_, most) = (plan_samples(index, points, sampling) for sampling in (auto, centre))
    assert sum(counts) <= sum(most)
    times = auto.times(phase)
    np.testing.assert_allclose(np.diff(times), auto.period_s, rtol=1e-6)
    found = segments(points, auto, phase)
    plans = [make_plan(index, segment) for segment in found]
    assert [int(plan.send_P.sum()) for plan in plans] == counts
    start_s = np.sort(index.pts_P) / 10
    for segment, plan in zip(found, plans, strict=True):
        sample_s = times[plan.sample_index_W]
        # A thousandth of a tick: see `_NEAR`.
        shown_s = start_s[np.maximum(np.searchsorted(start_s, sample_s + 1e-4, side="right") - 1, 0)]
        frame_s = plan.wanted_pts_W / 10
        near = np.abs(frame_s - sample_s) < auto.tolerance_s + 1e-4 + 1e-9
        assert (near | (frame_s == np.maximum(shown_s, segment.start_s))).all()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gop=st.integers(1, 40), b_frames=st.integers(0, 3), fps=st.floats(0.5, 6), segment_s=st.floats(0.5, 5))
def test_the_frames_are_those_of_a_plain_decode(tmp_path, gop, b_frames, fps, segment_s):
    times = np.arange(120) / 30
    path = write_video(tmp_path / "v.mp4", times, gop=gop, b_frames=b_frames)
    config = {"fps": fps, "segment_s": segment_s, "min_frames": 1}
    grid = grid_of(path, **config)
    frames = [f for segment in grid.segments for f in sample_frames(path, segment, short_side=48)]
    numbers = [read_number(frame.rgb) for frame in frames]
    first_s = probe(path).first_frame_s
    np.testing.assert_allclose([frame.time_s - first_s for frame in frames], times[numbers], atol=0.002)
    wanted_s = np.concatenate([segment.sample_times() for segment in grid.segments])
    away_s = np.abs(np.array([f.time_s for f in frames]) - wanted_s[[f.sample_index for f in frames]])
    assert (away_s <= max(0.25 / fps, 1 / 30) + 1e-3).all()
    assert len(planned(path, phase=grid.phase, **config)) == len(grid.segments)
