import json
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.rejects import Reject
from tests.numbered_video import draw, read_number, write_video
from tests.planned_video import planned
from workers.media.decode_plan import Segment
from workers.media.frame_decoder import sample_frames
from workers.media.geometry import Geometry
from workers.media.probe import probe
from workers.media.render import Renderer


def sample(path, short_side=48, tolerance=0.0, **config):
    """All frames of a file that the config samples: (time_s, rgb)."""
    plans = planned(path, tolerance=tolerance, **config)
    return [(p.time_s, p.rgb) for plan in plans for p in sample_frames(path, plan, short_side=short_side)]


def shown_at(times, sample_times):
    """The loop version: number of the frame shown at each time, each once."""
    numbers = [max([n for n, t in enumerate(times) if t <= s + 1e-6], default=0) for s in sample_times]
    return sorted(set(numbers))


CASES = {
    "mp4": {"suffix": ".mp4"},
    "mp4_intra": {"suffix": ".mp4", "gop": 1, "b_frames": 0},
    "mp4_open_gop": {"suffix": ".mp4", "options": {"x264-params": "open-gop=1:keyint=12:scenecut=0:bframes=3"}},
    "mkv": {"suffix": ".mkv", "time_base": Fraction(1, 1000)},
    "mpegts": {"suffix": ".ts"},
    "avi_no_b": {"suffix": ".avi", "b_frames": 0, "codec": "mpeg4", "time_base": Fraction(1, 30)},
    "avi_b": {"suffix": ".avi", "codec": "mpeg4", "time_base": Fraction(1, 30)},
    "mpeg2_ps": {"suffix": ".mpg", "codec": "mpeg2video", "time_base": Fraction(1, 30)},
    "raw_h264": {"suffix": ".h264", "time_base": Fraction(1, 30)},
    "hevc": {"suffix": ".mp4", "codec": "libx265", "options": {"x265-params": "log-level=none:bframes=3:keyint=12"}},
    "vp9": {"suffix": ".webm", "codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "av1": {"suffix": ".mkv", "codec": "libsvtav1", "options": {"preset": "12"}},
    "mjpeg": {"suffix": ".mkv", "codec": "mjpeg", "pixel_format": "yuvj420p", "b_frames": 0},
}


@pytest.mark.parametrize("case", CASES)
def test_each_sample_gets_the_frame_shown_then(tmp_path, case):
    options = dict(CASES[case])
    times = np.arange(90) / 30
    path = write_video(tmp_path / f"v{options.pop('suffix')}", times, **options)
    frames = sample(path, segment_s=1.0, fps=5.0, min_frames=1)
    numbers = [read_number(rgb) for _, rgb in frames]
    found_times = [time_s for time_s, _ in frames]
    first = found_times[0] - times[numbers[0]]
    # AVI and MPEG-PS count a frame or two of the encoder's delay as the start of their clock.
    assert 0 <= first < (0.1 if case in ("avi_b", "mpeg2_ps") else 0.002)
    np.testing.assert_allclose(np.array(found_times) - first, times[numbers], atol=0.002)
    assert numbers == shown_at(times, 0.1 + np.arange(15) / 5) or case in ("avi_b", "mpeg2_ps")
    assert len(numbers) == 15


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gaps=st.lists(st.integers(1, 40), min_size=3, max_size=70),
    start=st.integers(0, 5000),
    gop=st.integers(1, 25),
    b_frames=st.integers(0, 3),
    fps=st.floats(0.3, 12),
)
def test_variable_rate_and_start(tmp_path, gaps, start, gop, b_frames, fps):
    times = (start + np.cumsum([0, *gaps])) / 50
    path = write_video(tmp_path / "v.mkv", times, gop=gop, b_frames=b_frames, time_base=Fraction(1, 1000))
    facts = probe(path)
    assert facts.frame_count == len(times)
    assert facts.first_frame_s == pytest.approx(times[0], abs=0.002)
    frames = sample(path, segment_s=2.0, fps=fps, min_frames=1)
    numbers = [read_number(rgb) for _, rgb in frames]
    np.testing.assert_allclose([t for t, _ in frames], times[numbers], atol=0.002)
    assert numbers == sorted(set(numbers))
    period = 1 / fps if facts.duration_s * fps >= 1 else facts.duration_s
    wanted = facts.first_frame_s + period * (np.arange(max(1, int(np.ceil(facts.duration_s / period - 0.5)))) + 0.5)
    # Matroska rounds to a millisecond: at a sample within one of a frame's start either is right.
    clear = [s for s in wanted if np.abs(times - s).min() > 0.002]
    assert set(shown_at(times, clear)) <= set(numbers) <= set(shown_at(times, [*(wanted - 0.002), *(wanted + 0.002)]))


def test_a_short_segment_length_changes_no_frame(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(150) / 30)
    whole, parts = (sample(path, segment_s=s, fps=4.0, min_frames=1) for s in (100.0, 0.5))
    assert [t for t, _ in whole] == [t for t, _ in parts]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(whole, parts, strict=True))


@pytest.mark.slow
def test_real_files_agree_with_decoding_everything(videos):
    for name in (
        "short/sam2_dog.mp4",
        "annotated/nasa_13013.mp4",
        "odd/opencast_1fps.mp4",
        "odd/decord_corrupted.mp4",
        "short/lerobot_av1_wrist.mp4",
    ):
        ours = [p for tolerance in (0.0, 0.25) for p in sample(videos / name, tolerance=tolerance, segment_s=3.0)]
        with av.open(str(videos / name)) as container:
            stream = container.streams.video[0]
            stream.thread_type, stream.thread_count = "SLICE", 1
            render, reference = Renderer(48, Geometry.of(container, stream)), {}
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    continue
                reference |= {round(frame.time, 6): render(frame) for frame in frames}
        for time_s, rgb in ours:
            np.testing.assert_array_equal(rgb, reference[round(time_s, 6)], err_msg=f"{name} at {time_s}")


def test_true_times_of_the_annotated_stream(videos):
    listed = json.loads((videos / "annotated/nasa_13013.stream0.all_frames_info.json").read_text())
    times = np.array([float(frame["pts_time"]) for frame in listed])
    frames = sample(videos / "annotated/nasa_13013.mp4", fps=25.0)
    assert len(frames) == len(times) == 325
    np.testing.assert_allclose([t for t, _ in frames], times, atol=1e-5)


def test_a_decoder_reports_progress_where_no_frame_is_given(tmp_path):
    path, calls = write_video(tmp_path / "v.mp4", np.arange(90) / 30, gop=90), []
    (plan,) = planned(path, fps=0.1, min_frames=1, tolerance=0.0)
    before = [len(calls) for _ in sample_frames(path, plan, progress=calls.append)]
    assert len(before) == 1 and before[0] > 30
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        assert sum(calls) % (stream.width * stream.height) == 0 < sum(calls)


def test_undecodable_is_a_reject(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(60) / 30)
    plan = Segment(
        segment_index=1,
        start_s=100.0,
        end_s=101.0,
        seek_pts=10**9,
        first_sample=0,
        num_samples=3,
        sample_origin_s=100.0,
        sample_period_s=0.1,
        sample_tolerance_s=0.0,
    )
    with pytest.raises(Reject) as rejected:
        list(sample_frames(path, plan))
    assert rejected.value.reason == "undecodable"


def test_damage_in_the_middle_costs_only_its_frames(tmp_path):
    path = write_video(tmp_path / "v.mkv", np.arange(300) / 30, time_base=Fraction(1, 1000), options={"crf": "5"})
    whole = {round(t, 3): rgb for t, rgb in sample(path, fps=5.0, min_frames=1)}
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = np.random.default_rng(0).bytes(400)
    path.write_bytes(data)
    damaged = {round(t, 3): rgb for t, rgb in sample(path, fps=5.0, min_frames=1)}
    same = [t for t in damaged if t in whole and np.array_equal(damaged[t], whole[t])]
    assert len(same) > 0.6 * len(whole)
    assert min(same) < 2 and max(same) > 8


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le", "gray"])
def test_colours_survive(tmp_path, pixel_format):
    path = write_video(tmp_path / "v.mkv", np.arange(3) / 30, pixel_format=pixel_format, options={"crf": "1"})
    for number, (_, rgb) in enumerate(sample(path)):
        assert np.abs(rgb.astype(int) - draw(number)).mean() < 12
