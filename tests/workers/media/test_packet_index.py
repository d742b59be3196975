import numpy as np
import pytest

from schemas.rejects import Reject
from tests.numbered_video import write_video
from workers.media.container import open_media, video_stream
from workers.media.demuxer import Demuxer
from workers.media.packet_index import read_index

DISCONTINUITIES = {"beyond int64": [2**62, 0, 2**62], "beyond all clocks": [0, 2**61]}


@pytest.mark.parametrize("times", DISCONTINUITIES.values(), ids=DISCONTINUITIES)
def test_times_that_no_clock_shows_are_undecodable(tmp_path, times):
    path = write_video(tmp_path / "v.mp4", np.arange(30) / 30)

    def lie(packets):
        for packet, time in zip(packets, times, strict=False):
            packet.dts, packet.pts = time, time + 2**61
            yield packet

    with open_media(path) as container:
        stream = video_stream(container)
        with pytest.raises(Reject, match="no clock"):
            read_index(Demuxer(container, stream), lie(Demuxer(container, stream)))


def test_a_packet_that_is_read_half_leaves_nothing(tmp_path):
    """Its decode time fits into 64 bits, its presentation time does not, after the discontinuity."""
    path = write_video(tmp_path / "v.ts", np.arange(30) / 30)

    def lie(packets):
        for number, packet in enumerate(packets):
            if number > 0:  # back, so that what comes is moved on
                packet.dts -= 2**40
                packet.pts = packet.pts - 2**40 if number != 2 else 2**63 - 1
            yield packet

    with open_media(path) as container:
        stream = video_stream(container)
        index = read_index(Demuxer(container, stream), lie(Demuxer(container, stream)))
    assert index.error == "OverflowError"
    assert len(index) == len(index.duration_P) == len(index.pts_offset_P) == len(index.shown_P) == 2
