import os

import av
import numpy as np
import pytest

from tests.numbered_video import write_video
from workers.media.bitstream import PacketFacts, reader


def avcc(*units):
    return memoryview(b"".join(len(unit).to_bytes(4, "big") + unit for unit in units))


def annexb(*units):
    return memoryview(b"".join(b"\0\0\0\1" + unit for unit in units))


AVCC = b"\x01\x64\x00\x1f\xff"
IDR, REFERENCED, DISPOSABLE, DELIMITER_H264 = b"\x65\x88", b"\x41\x9a", b"\x01\x9e", b"\x09\xf0"
LONG = bytes(16)  # of a slice
SEI_RECOVERY, SEI_LATER_RECOVERY, SEI_USER = b"\x06\x06\x01\xc4\x80", b"\x06\x06\x01\x44\x80", b"\x06\x05\x02ab\x80"


@pytest.mark.parametrize("wrap", ["avcc", "annexb"])
@pytest.mark.parametrize(
    ("units", "facts"),
    [
        ([IDR], PacketFacts(True, True)),
        ([SEI_USER, IDR, IDR], PacketFacts(True, True)),
        ([SEI_RECOVERY, REFERENCED], PacketFacts(True, False)),
        ([SEI_USER, SEI_RECOVERY, REFERENCED], PacketFacts(True, False)),
        ([SEI_LATER_RECOVERY, REFERENCED], PacketFacts(False)),
        ([REFERENCED, REFERENCED], PacketFacts(False)),
        ([DISPOSABLE], PacketFacts(False, disposable=True)),
        ([DISPOSABLE, DISPOSABLE], PacketFacts(False, disposable=True)),
        ([DISPOSABLE, REFERENCED], PacketFacts(False)),
        ([SEI_USER], PacketFacts()),
        ([DELIMITER_H264, REFERENCED + LONG], PacketFacts(False)),
        ([DELIMITER_H264, DISPOSABLE + LONG], PacketFacts(False, disposable=True)),
        ([DELIMITER_H264, DISPOSABLE + LONG, REFERENCED + LONG], PacketFacts(False)),
        ([DELIMITER_H264, SEI_RECOVERY, REFERENCED + LONG], PacketFacts(True, False)),
        ([DISPOSABLE + LONG, DISPOSABLE + LONG], PacketFacts(False, disposable=True)),
    ],
)
def test_h264(wrap, units, facts):
    data = {"avcc": avcc, "annexb": annexb}[wrap](*units)
    assert reader("h264", AVCC if wrap == "avcc" else None)(data) == facts


DELIMITER, SEQUENCE, STILL_SEQUENCE = b"\x12\0", b"\x0a\x02\0\0", b"\x0a\x02\x18\0"
KEY, HIDDEN_KEY, INTER = b"\x32\x81\0\x10", b"\x32\x01\0", b"\x32\x01\x30"
SHOW_EXISTING, SHOW_ANOTHER = b"\x1a\x01\x80", b"\x1a\x01\xd8"
LAYERED_KEY, KEY_TO_THE_END = b"\x36\x08\x01\x10", b"\x30\x10\0"


@pytest.mark.parametrize(
    ("units", "facts"),
    [
        ([DELIMITER, SEQUENCE, KEY], PacketFacts(True, True)),
        ([LAYERED_KEY], PacketFacts(True, True)),
        ([DELIMITER, KEY_TO_THE_END], PacketFacts(True, True)),
        ([STILL_SEQUENCE, INTER], PacketFacts(True, True)),
        ([INTER, KEY], PacketFacts(False)),
        ([HIDDEN_KEY, INTER], PacketFacts()),
        ([SHOW_EXISTING], PacketFacts()),
        ([SHOW_ANOTHER], PacketFacts()),
        ([DELIMITER, SEQUENCE], PacketFacts()),
        ([b"\x32\xff\xff"], PacketFacts()),
    ],
)
def test_av1(units, facts):
    assert reader("av1", None)(memoryview(b"".join(units))) == facts


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp8", "vp9", "av1", "none"])
def test_no_bytes_are_an_error(codec):
    rng = np.random.default_rng(0)
    for extradata in (None, b"", AVCC, b"\x01" * 30):
        read = reader(codec, extradata)
        for size in [0, 1, 2, 3, 4, 5, 8, 200] * 10:
            read(memoryview(rng.bytes(size)))
            read(memoryview(bytes(size)))
            read(memoryview(b"\0\0\1" + rng.bytes(size)))


@pytest.mark.parametrize(
    ("codec", "suffix", "options"),
    [
        ("libx264", ".mp4", {}),
        ("libx264", ".ts", {}),
        ("libx265", ".mp4", {"x265-params": "log-level=none:keyint=12:min-keyint=12:scenecut=0:open-gop=0"}),
        ("libvpx", ".webm", {"auto-alt-ref": "1", "lag-in-frames": "16"}),
        ("libvpx-vp9", ".webm", {"deadline": "realtime", "cpu-used": "8"}),
        ("libsvtav1", ".mkv", {"preset": "12"}),
        ("libsvtav1", ".mp4", {"preset": "12", "svtav1-params": "pred-struct=1"}),
        ("mjpeg", ".mkv", {}),
    ],
)
def test_encoders_agree(tmp_path, codec, suffix, options):
    """Key frames are random access points, and one frame is shown for each that was encoded."""
    jpeg = {"pixel_format": "yuvj420p", "b_frames": 0} if codec == "mjpeg" else {}
    path = write_video(tmp_path / f"v{suffix}", np.arange(60) / 30, codec=codec, options=options, **jpeg)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec_context = stream.codec_context
        read = reader(codec_context.codec.canonical_name, codec_context.extradata, codec_context.codec.intra_only)
        packets = [packet for packet in container.demux(stream) if packet.size]
        facts = [read(memoryview(packet)) for packet in packets]
    assert [bool(fact.random_access) for fact in facts] == [packet.is_keyframe for packet in packets]
    assert [fact.starts_gop for fact in facts] == [packet.is_keyframe for packet in packets]
    assert sum(fact.shown for fact in facts) == 60
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(0) == os.SCHED_OTHER  # of the tests that follow in this process, too


def test_frames_that_nobody_refers_to_can_be_left_out(tmp_path):
    """Without them every other frame is the same to the bit."""
    options = {"x264-params": "bframes=3:b-pyramid=0:b-adapt=0:scenecut=0"}
    path = write_video(tmp_path / "v.mp4", np.arange(60) / 30, options=options)

    def decoded(leave_out):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type, stream.thread_count = "SLICE", 1
            read = reader("h264", stream.codec_context.extradata)
            packets = [p for p in container.demux(stream) if not (leave_out and read(memoryview(p)).disposable)]
            return {frame.pts: frame.to_ndarray() for packet in packets for frame in packet.decode()}

    whole, part = decoded(False), decoded(True)
    assert len(part) < 0.6 * len(whole)
    assert all(np.array_equal(part[pts], whole[pts]) for pts in part)
