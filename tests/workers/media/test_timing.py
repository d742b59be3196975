"""Times of frames, whatever the container says of them and leaves out: a plain decode is right."""

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.numbered_video import read_number, write_video
from tests.planned_video import access_points, planned
from workers.media.frame_decoder import sample_frames
from workers.media.probe import VideoFacts, probe


class Format(NamedTuple):
    suffix: str
    sound: str
    codec: str = "libx264"
    time_base: Fraction = Fraction(1, 1000)
    max_b_frames: int = 3
    min_gaps: int = 1


FORMATS = {
    "mp4": Format(".mp4", "aac", time_base=Fraction(1, 90000)),
    "mkv": Format(".mkv", "aac"),
    "ts": Format(".ts", "mp2", time_base=Fraction(1, 90000), min_gaps=15),  # FFmpeg needs 2 kB
    "flv": Format(".flv", "aac"),
    "ogg": Format(".ogv", "libopus", codec="libvpx", time_base=Fraction(1, 25), max_b_frames=0),
}


def kept(path: Path, facts: VideoFacts, tolerance: float = 0.0, **config) -> list[tuple[float, int]]:
    """Time and number of each frame that is kept."""
    plans = planned(path, tolerance=tolerance, min_frames=1, **config)
    return [(p.time_s, read_number(p.rgb)) for plan in plans for p in sample_frames(path, plan, short_side=48)]


def plain(path: Path, first_s: float = 0.0) -> dict[float, int]:
    """Number of each frame of a plain decode, by its time in milliseconds; the first frame is at `first_s`."""
    with av.open(str(path)) as container:
        frames = [(frame.time, read_number(frame.to_ndarray(format="rgb24"))) for frame in container.decode(video=0)]
    return {round(1000 * (time_s - frames[0][0] + first_s)): number for time_s, number in frames}


@st.composite
def streams(draw) -> dict:
    """A format, and what `write_video` needs: frames some of which are held for up to 40 s."""
    name = draw(st.sampled_from(list(FORMATS)))
    kind = FORMATS[name]
    sound = kind.sound if draw(st.booleans()) else ""
    gap = st.one_of(st.integers(1, 20), st.integers(25, 1000)).map(lambda n: 40 * n)
    gaps = draw(st.lists(gap, min_size=kind.min_gaps, max_size=30))
    return {
        "kind": kind,
        "times": np.cumsum([0, *gaps]) / 1000,
        "sound": sound,
        "b_frames": draw(st.integers(0, kind.max_b_frames)),
        "gop": draw(st.integers(1, 12)),
    }


def check(stream: dict, fps: float, tolerance: float) -> None:
    kind, times = stream.pop("kind"), stream.pop("times")
    with tempfile.TemporaryDirectory() as folder:
        options = {"deadline": "realtime", "cpu-used": "8"} if kind.codec == "libvpx" else {"preset": "ultrafast"}
        path = Path(folder) / f"v{kind.suffix}"
        write_video(path, times, codec=kind.codec, time_base=kind.time_base, rate=25, options=options, **stream)
        facts = probe(path)
        reference = plain(path, facts.first_frame_s)
        assert facts.frame_count == len(reference)
        assert not {"timestamp_jumps", "no_timestamps"} & set(facts.flags)
        frames = kept(path, facts, tolerance, fps=fps, segment_s=3.0)
        starts_ms = np.array(list(reference))
        assert [reference[starts_ms[np.abs(starts_ms - 1000 * time_s).argmin()]] for time_s, _ in frames] == [
            number for _, number in frames
        ]
        assert all(np.abs(starts_ms - 1000 * time_s).min() <= 1 for time_s, _ in frames)
        assert (np.diff([time_s for time_s, _ in frames]) > 0).all()
        if not tolerance:
            period_s = 1 / fps if facts.duration_s * fps >= 1 else facts.duration_s
            samples = facts.first_frame_s + period_s * (
                np.arange(max(1, np.ceil(facts.duration_s / period_s - 0.5))) + 0.5
            )
            clear_ms = [1000 * s for s in samples if np.abs(starts_ms - 1000 * s).min() > 2]
            shown = starts_ms[np.searchsorted(starts_ms, clear_ms, side="right") - 1]
            assert {reference[ms] for ms in shown.tolist()} <= {number for _, number in frames}


@pytest.mark.slow
@settings(max_examples=30)
@given(stream=streams(), fps=st.sampled_from([0.2, 1.0, 7.0]), tolerance=st.sampled_from([0.0, 0.25]))
def test_each_kept_frame_is_that_of_a_plain_decode_at_its_time(stream, fps, tolerance):
    check(stream, fps, tolerance)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=2000)
@given(stream=streams(), fps=st.floats(0.1, 12.0), tolerance=st.sampled_from([0.0, 0.1, 0.25, 0.49]))
def test_the_same_for_many_streams(stream, fps, tolerance):
    check(stream, fps, tolerance)


def test_frames_far_apart_without_decode_times(cases):
    path = cases / "media/lowfps_quarter.mkv"
    facts = probe(path)
    assert (facts.frame_count, facts.first_frame_s, facts.duration_s) == (60, 0.0, 240.0)
    assert facts.flags == ()
    assert [time_s for time_s, _ in kept(path, facts, fps=1.0, segment_s=20.0)] == [4.0 * n for n in range(60)]


def test_a_frame_that_is_held_while_the_sound_goes_on(cases):
    path = cases / "media/stands15s_audio.flv"
    facts = probe(path)
    assert facts.duration_s == pytest.approx(60, abs=0.1)
    assert facts.flags == ()
    assert len(access_points(path).pts) > 1


HELD_OR_JOINED = [
    (".ts", "libx264", "mp2"),
    (".ogv", "libvpx", "libopus"),
    (".ts", "libx264", ""),
    (".ogv", "libvpx", ""),
]


def one_rate(codec: str) -> dict:
    """Settings of a video of 25 frames per second."""
    options = {} if codec == "libvpx" else {"preset": "ultrafast"}
    return {"codec": codec, "time_base": Fraction(1, 25), "rate": 25, "options": options}


@pytest.mark.parametrize(("suffix", "codec", "sound"), HELD_OR_JOINED)
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_frame_that_is_held_is_no_discontinuity(tmp_path, suffix, codec, sound, b_frames):
    times = np.concatenate([np.arange(25), 400 + np.arange(25)]) / 25
    path = write_video(tmp_path / f"v{suffix}", times, sound=sound, b_frames=b_frames, **one_rate(codec))
    held = probe(path)
    assert held.duration_s == pytest.approx(17, abs=0.2)
    assert "timestamp_jumps" not in held.flags


@pytest.mark.parametrize("declared", [False, True])
def test_only_a_declared_discontinuity_is_one_within_one_file(tmp_path, declared):
    """The clock goes on in all but its times; the file may be opened by name or descriptor."""
    times = np.concatenate([np.arange(25), 400 + np.arange(25)]) / 25
    path = write_video(tmp_path / "v.ts", times, b_frames=0, **one_rate("libx264"))
    with av.open(str(path)) as container:
        position = next(p.pos for p in container.demux(video=0) if p.pts and p.pts >= 16 * 90_000)
    data = bytearray(path.read_bytes())
    assert data[position] == 0x47 and data[position + 4]
    data[position + 5] |= 0x80 * declared
    path.write_bytes(data)
    with path.open("rb") as file:
        for source in (path, file.fileno()):
            facts = probe(source)
            assert ("timestamp_jumps" in facts.flags) == declared
            assert facts.duration_s == pytest.approx(2 if declared else 17, abs=0.1)


def joined(path: Path, starts_s: list[float], seconds: float, **options) -> VideoFacts:
    """The facts of one file made of several, each of whose clocks starts anew."""
    parts = [
        write_video(path.parent / f"{number}.ts", start + np.arange(25 * seconds) / 25, rate=25, **options)
        for number, start in enumerate(starts_s)
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return probe(path)


@pytest.mark.parametrize("sound", ["", "mp2"])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("starts_s", [[0, 0, 0], [0, 300, 20], [0, 5000, 5000]], ids=["anew", "on and back", "on"])
def test_a_discontinuity_of_all_streams_is_made_continuous(tmp_path, starts_s, b_frames, sound):
    facts = joined(tmp_path / "v.ts", starts_s, 4, sound=sound, b_frames=b_frames)
    assert "timestamp_jumps" in facts.flags
    assert facts.frame_count == 300
    assert facts.duration_s == pytest.approx(12, abs=0.3)
    frames = kept(tmp_path / "v.ts", facts, fps=5.0)
    assert len(frames) == 60
    numbers = np.arange(300) % 100
    assert [number for _, number in frames] == pytest.approx(
        numbers[[round(25 * time_s) for time_s, _ in frames]], abs=7
    )


def test_a_logical_stream_that_follows_another_in_ogg_goes_on(tmp_path):
    parts = [
        write_video(tmp_path / f"{start}.ogv", start + np.arange(50) / 25, b_frames=0, **one_rate("libvpx"))
        for start in (0, 300)
    ]
    path = tmp_path / "v.ogv"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    facts = probe(path)
    assert "timestamp_jumps" in facts.flags
    assert facts.duration_s == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize(("suffix", "sound"), [(".ts", "mp2"), (".flv", "aac"), (".mp4", "aac"), (".mkv", "aac")])
def test_a_video_that_starts_long_after_the_sound_starts_there(tmp_path, suffix, sound):
    path = tmp_path / f"v{suffix}"
    write_video(path, 15 + np.arange(50) / 25, sound=sound, sound_from_s=0.0, time_base=Fraction(1, 1000), rate=25)
    facts = probe(path)
    assert facts.first_frame_s == pytest.approx(15, abs=0.1)
    assert access_points(path).time_s[0] == facts.first_frame_s
    assert not {"truncated", "timestamp_jumps"} & set(facts.flags)


def test_a_first_packet_of_an_older_clock_is_no_start(tmp_path):
    """Recordings of a live stream: a sound packet at 0, then all of it hours later."""
    path = write_video(tmp_path / "v.flv", 5000 + np.arange(50) / 25, sound="aac", time_base=Fraction(1, 1000), rate=25)
    data, at = bytearray(path.read_bytes()), 13  # behind the header: tags of type, length (3), time (4), stream (3)
    while data[at] != 8 or data[at + 12] == 0:  # a sound tag that is no AAC header
        at += 15 + int.from_bytes(data[at + 1 : at + 4], "big")
    assert int.from_bytes(data[at + 4 : at + 7], "big") + (data[at + 7] << 24) > 4_900_000
    data[at + 4 : at + 8] = bytes(4)
    path.write_bytes(data)
    assert probe(path).first_frame_s == pytest.approx(0, abs=0.2)
