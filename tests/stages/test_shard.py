import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rejects import Reject
from schemas.tables import SEGMENT
from stages.shard import ShardConfig, run, sampling, segments
from tests.numbered_video import write_video
from workers.media.probe import EntryPoints, probe
from workers.storage.store import Store


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
    assert sampling(duration_s, ShardConfig()) == (samples, pytest.approx(period))


@given(
    keys=st.lists(st.floats(0.01, 50), max_size=60),
    start_s=st.floats(-2, 100),
    tail_s=st.floats(0.01, 80),
    fps=st.floats(0.01, 5),
    segment_s=st.floats(0.1, 100),
)
def test_segments_share_out_the_samples(keys, start_s, tail_s, fps, segment_s):
    times = start_s + np.cumsum([0.0, *keys])
    duration_s = times[-1] - start_s + tail_s
    config = ShardConfig(fps=fps, segment_s=segment_s, min_frames=3)
    rows = segments("v", start_s, duration_s, EntryPoints((times * 1000).astype(np.int64), times), config)
    samples, period = sampling(duration_s, config)
    owned = [i for row in rows for i in range(row["first_sample"], row["first_sample"] + row["num_samples"])]
    assert owned == list(range(samples))
    for row in rows:
        assert row["start_s"] in times
        first = row["sample_origin_s"] + row["first_sample"] * period
        last = first + (row["num_samples"] - 1) * period
        assert row["start_s"] - 1e-6 <= first <= last < row["end_s"] + 1e-6
    for row, following in zip(rows, rows[1:], strict=False):
        assert row["end_s"] <= following["start_s"]
        assert row["end_s"] - row["start_s"] >= segment_s - 1e-6


@given(
    times=st.lists(st.floats(-1e300, 1e300) | st.just(4.8e18), min_size=1, max_size=60),
    segment_s=st.floats(1e-9, 1e300),
    duration_s=st.floats(0, 1e300),
)
def test_times_beyond_any_sense_have_an_end(times, segment_s, duration_s):
    """Where `t + segment_s == t` too, and where key frames have one time."""
    times = np.sort(times)
    config = ShardConfig(segment_s=segment_s, max_frames=50, min_frames=3)
    rows = segments("v", times[0], duration_s, EntryPoints(np.arange(len(times)), times), config)
    samples, _ = sampling(duration_s, config)
    assert [i for row in rows for i in range(row["first_sample"], row["first_sample"] + row["num_samples"])] == list(
        range(samples)
    )
    assert [row["segment_index"] for row in rows] == sorted({row["segment_index"] for row in rows})


def test_a_segment_ends_on_the_next_key_frame_where_a_clock_is_too_coarse_for_its_length():
    times = np.array([4.8e18, 4.8e18 + 2**12, 4.8e18 + 2**13])
    rows = segments("v", 4.8e18, 3 * 2.0**12, EntryPoints(np.arange(3), times), ShardConfig(fps=2**-10))
    assert [row["start_s"] for row in rows] == list(times)
    assert [row["end_s"] for row in rows] == [*times[1:], 4.8e18 + 3 * 2.0**12]


def unit(path):
    return {"video_id": "a" * 16, "sha256": "", "media": None, "location": str(path), **probe(path).columns()}


def test_rows(tmp_path):
    path = write_video(tmp_path / "v.mp4", 2 + np.arange(300) / 30, gop=30, options={"sc_threshold": "0"})
    config = ShardConfig(segment_s=3.0, fps=2.0, min_frames=1)
    (table,) = run(unit(path), config, Store(tmp_path / "c"))
    assert table.schema.equals(SEGMENT)
    assert table["segment_id"].to_pylist() == [f"{'a' * 16}-{n:05d}" for n in range(4)]
    np.testing.assert_allclose(table["start_s"], [2, 5, 8, 11], atol=0.04)
    assert table["num_samples"].to_pylist() == [6, 6, 6, 2]
    assert set(table["sample_tolerance_s"].to_pylist()) == {0.125}  # a quarter of half a second


def test_one_key_frame_is_one_segment(videos, tmp_path):
    path = videos / "short/simpl_vp9_webrtc_meeting.webm"
    (table,) = run(unit(path), ShardConfig(segment_s=5.0), Store(tmp_path))
    assert table.num_rows == 1


def test_too_short_and_too_long(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    with pytest.raises(Reject, match="too_short"):
        list(run(unit(path), ShardConfig(min_duration_s=2.0), Store(tmp_path)))
    with pytest.raises(Reject, match="too_long"):
        list(run(unit(path), ShardConfig(max_duration_s=0.5), Store(tmp_path)))
