"""Sound of a part of a video, at the times of its frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from schemas.rejects import Reject
from stages.shard import ShardConfig
from tests.numbered_video import write_video
from workers.media.audio import read_audio
from workers.media.audio_format import RATE_HZ
from workers.media.media_limits import MediaLimits
from workers.media.sandboxed import audio_in_sandbox, probe_in_sandbox, sample_grid_in_sandbox


def write_clicks(path: Path, clicks_s: list[float], seconds: int, *, start_s: float = 0.0, codec: str = "aac") -> Path:
    """A video of grey frames with a tone of 0.2 s at some times."""
    rate = 44100
    sound = np.zeros(seconds * rate, np.int16)
    for at in clicks_s:
        first = round(at * rate)
        sound[first : first + rate // 5] = 20000 * np.sin(np.arange(rate // 5) * 0.1)
    with av.open(str(path), "w") as output:
        video, audio = output.add_stream("libx264", rate=5), output.add_stream(codec, rate=rate, layout="stereo")
        video.width, video.height, video.gop_size = 64, 48, 5
        for number in range(seconds * 5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), "rgb24")
            frame.pts, frame.time_base = round((start_s + number / 5) * 90000), Fraction(1, 90000)
            output.mux(video.encode(frame))
            part = sound[number * rate // 5 : (number + 1) * rate // 5]
            heard = av.AudioFrame.from_ndarray(np.repeat(part, 2).reshape(1, -1), format="s16", layout="stereo")
            heard.sample_rate, heard.pts = rate, round(start_s * rate) + number * rate // 5
            heard.time_base = Fraction(1, rate)
            output.mux(audio.encode(heard))
        output.mux(video.encode())
        output.mux(audio.encode())
    return path


def clock_of(path: Path, start_s: float) -> dict:
    """The last key frame of a file before a time: by the stream's clock, and in seconds."""
    facts = probe_in_sandbox(path, MediaLimits())
    sampling = ShardConfig(segment_s=0.5, min_frames=1).sampling(facts["first_frame_s"], facts["duration_s"])
    segments = sample_grid_in_sandbox(path, sampling, MediaLimits()).segments
    last = [segment for segment in segments if segment.start_s <= start_s][-1]
    return {"seek_pts": last.seek_pts, "seek_s": last.start_s}


def onsets(sound: np.ndarray) -> list[float]:
    """Seconds at which a tone begins."""
    loud = np.abs(sound.astype(np.int32)).reshape(-1, RATE_HZ // 50).max(axis=1) > 5000
    return (np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]])) / 50).tolist()


@pytest.mark.parametrize(("name", "start_s"), [("a.mp4", 0.0), ("a.mkv", 0.0), ("a.mkv", 3.0), ("a.ts", 5.0)])
def test_sound_is_at_the_times_of_the_frames(tmp_path, name, start_s):
    path = write_clicks(tmp_path / name, [1.0, 8.0, 13.0], 16, start_s=start_s)
    first_s = probe_in_sandbox(path, MediaLimits())["first_frame_s"]
    part = {**clock_of(path, first_s + 6), "start_s": first_s + 6, "end_s": first_s + 15}
    sound = audio_in_sandbox(path, MediaLimits(), duration_s=16, **part)
    assert len(sound) == 9 * RATE_HZ and sound.dtype == np.int16
    assert onsets(sound) == pytest.approx([2.0, 7.0], abs=0.1)


def test_silence_beyond_the_end(tmp_path):
    path = write_clicks(tmp_path / "a.mp4", [1.0], 4)
    sound = read_audio(path, **clock_of(path, 0), start_s=0.0, end_s=10.0)
    assert onsets(sound) == pytest.approx([1.0], abs=0.1) and not sound[6 * RATE_HZ :].any()


def test_sound_of_which_nothing_decodes_is_no_silence(tmp_path):
    path = write_clicks(tmp_path / "a.mp4", [1.0], 4)
    with av.open(str(path)) as media:
        packets = [(packet.pos, packet.size) for packet in media.demux(audio=0) if packet.size]
    damaged = bytearray(path.read_bytes())
    for position, size in packets:
        damaged[position : position + size] = b"\xff" * size
    path.write_bytes(damaged)
    with pytest.raises(Reject, match="packets of sound can be decoded") as rejected:
        read_audio(path, **clock_of(path, 0), start_s=0.0, end_s=4.0)
    assert rejected.value.reason == "undecodable"


def test_a_video_without_sound_is_a_reject(tmp_path):
    path = write_video(tmp_path / "a.mp4", [i / 5 for i in range(20)])
    with pytest.raises(Reject, match="no audio stream"):
        audio_in_sandbox(path, MediaLimits(), duration_s=4, **clock_of(path, 0), start_s=0.0, end_s=2.0)
