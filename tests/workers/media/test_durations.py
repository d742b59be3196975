from fractions import Fraction

import numpy as np
import pytest

from tests.numbered_video import write_video
from workers.media.probe import probe

pytestmark = pytest.mark.slow

LENGTH_FLAGS = {"truncated", "header_duration_off"}
MILLISECONDS = {"time_base": Fraction(1, 1000)}


def flags(path):
    return set(probe(path).flags) & LENGTH_FLAGS


def without_tags(path):
    """The file without the length of each track, as most programs write Matroska."""
    path.write_bytes(path.read_bytes().replace(b"DURATION", b"NO_LENGT"))
    return path


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_a_video_that_the_sound_outlasts_is_whole(cases):
    assert not flags(cases / "media/audio30_video4.flv")


@pytest.mark.parametrize(("suffix", "sound"), [(".mp4", "aac"), (".mkv", "aac"), (".flv", "aac"), (".ts", "mp2")])
def test_where_the_sound_ends_says_nothing_of_the_video(tmp_path, suffix, sound):
    path = write_video(tmp_path / f"v{suffix}", np.arange(100) / 25, sound=sound, sound_s=30, rate=25, **MILLISECONDS)
    assert not flags(path)
    assert not flags(without_tags(path))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".flv"])
def test_a_video_that_starts_late_is_whole(tmp_path, suffix):
    path = write_video(tmp_path / f"v{suffix}", 100 + np.arange(100) / 25, rate=25, **MILLISECONDS)
    assert not flags(path)
    assert not flags(without_tags(path))


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".flv", ".ts"])
def test_frames_far_apart_are_a_whole_video(tmp_path, suffix, b_frames):
    path = write_video(tmp_path / f"v{suffix}", 8 * np.arange(30), rate=25, b_frames=b_frames, **MILLISECONDS)
    assert "truncated" not in flags(path)


@pytest.mark.parametrize("sound", ["", "aac"])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".flv"])
def test_half_a_file_is_truncated(tmp_path, suffix, sound):
    options = {"container_options": {"movflags": "faststart"}} if suffix == ".mp4" else {}
    path = write_video(tmp_path / f"v{suffix}", np.arange(750) / 25, sound=sound, rate=25, **MILLISECONDS, **options)
    assert not flags(path)
    assert "truncated" in flags(cut(path))
    if suffix == ".mkv":
        assert "truncated" in flags(without_tags(path))


def test_a_transport_stream_claims_no_length(tmp_path):
    path = cut(write_video(tmp_path / "v.ts", np.arange(750) / 25, sound="mp2", rate=25))
    assert probe(path).header_duration_s is None
    assert not flags(path)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".flv", ".mov"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_two_frames_have_timestamps(tmp_path, suffix, b_frames):
    found = probe(write_video(tmp_path / f"v{suffix}", [0, 20], b_frames=b_frames, **MILLISECONDS))
    assert found.frame_count == 2
    assert not found.flags
