"""What a decoder says of the frames that it was asked for: missing, unchanged, damaged, of another size."""

from fractions import Fraction

import numpy as np
import pytest

from tests.numbered_video import read_number, write_video
from tests.planned_video import access_points, grid_of, planned
from tests.screen_recording import write_screen_recording
from workers.media.frame_decoder import sample_frames
from workers.media.probe import probe


def sampled(path, short_side=96, **config):
    """The frames that are kept, a list per segment."""
    plans = planned(path, min_frames=1, **config)
    return [list(sample_frames(path, plan, short_side=short_side)) for plan in plans]


@pytest.mark.parametrize("last_changes", [True, False])
def test_a_packet_that_changes_nothing_is_not_missing(tmp_path, last_changes):
    changes = [number % 7 == 0 for number in range(60)]
    changes[-1] = last_changes
    path = write_screen_recording(tmp_path / "v.avi", changes)
    assert probe(path).codec == "tscc"
    (frames,) = sampled(path, fps=10.0, tolerance=0.0)
    assert [read_number(f.rgb) for f in frames] == [number for number in range(60) if changes[number]]
    assert [f.time_s for f in frames] == pytest.approx([n / 10 for n in range(60) if changes[n]])
    assert frames[-1].wanted == len(frames)
    assert frames[-1].decoder_errors == 0


@pytest.mark.parametrize("tolerance", [0.0, 0.25])
def test_what_is_decoded_is_what_was_planned(tmp_path, tolerance):
    path = write_video(tmp_path / "v.mp4", np.arange(150) / 30, gop=20, b_frames=2)
    grid = grid_of(path, fps=3.0, segment_s=1.5, min_frames=1, tolerance=tolerance)
    last = [list(sample_frames(path, segment, short_side=48))[-1] for segment in grid.segments]
    assert [frame.frames_decoded for frame in last] == grid.frames_to_decode
    assert sum(grid.frames_to_decode) < (70 if tolerance else 110)


def test_a_whole_video_has_no_errors(tmp_path):
    path = write_video(
        tmp_path / "v.mp4", np.arange(90) / 30, options={"x264-params": "open-gop=1:keyint=12:bframes=3"}
    )
    for frames in sampled(path, fps=5.0, segment_s=1.0):
        assert (frames[-1].wanted, frames[-1].decoder_errors) == (len(frames), 0)


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", ".mkv"), ("mpeg4", ".mkv"), ("mpeg2video", ".ts")])
def test_errors_of_the_decoder_are_counted(tmp_path, codec, suffix):
    size, rate = (640, 352), 25
    path = write_video(
        tmp_path / f"v{suffix}", np.arange(200) / rate, codec=codec, size=size, rate=rate, time_base=Fraction(1, rate)
    )
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(0)
    for at in range(5000, len(data) - 4000, max(600, len(data) // 100)):
        data[at : at + 3] = rng.bytes(3)
    path.write_bytes(data)
    segments = sampled(path, fps=5.0)
    assert sum(frames[-1].decoder_errors for frames in segments) > 20


def test_a_stream_that_changes_its_resolution_gives_frames_of_both(tmp_path):
    sizes = [(192, 48), (384, 96)]
    parts = [
        write_video(tmp_path / f"{n}.ts", 2 * n + np.arange(50) / 25, size=size, rate=25)
        for n, size in enumerate(sizes)
    ]
    path = tmp_path / "v.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = [frame for segment in sampled(path, short_side=48, fps=5.0) for frame in segment]
    assert {(f.source_width, f.source_height) for f in frames} == set(sizes)
    assert {f.rgb.shape for f in frames} == {(48, 192, 3)}


def test_times_that_differ_by_less_than_a_float_can_tell_are_kept_once(cases):
    path = cases / "security/equal_seconds.mkv"
    points = access_points(path)
    assert (np.diff(points.time_s) > 0).all()
    for segment_s in (1e-7, 1e-6, 300.0):
        for fps in (1.0, 1000.0):
            kept = sampled(path, segment_s=segment_s, fps=fps, tolerance=0.0)
            times = [frame.time_s for frames in kept for frame in frames]
            assert times and (np.diff(times) > 0).all()
            assert all(frames[-1].wanted == len(frames) for frames in kept)
