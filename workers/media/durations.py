"""Measures the duration of a video by its packets, and compares it with the header."""

import re
from dataclasses import dataclass

import av
import numpy as np
from av.container import InputContainer
from av.stream import Discard
from av.video.stream import VideoStream

from workers.media.demuxer import DISCONTINUOUS, Demuxer, nominal_rate, read_packets, tick
from workers.media.packet_index import PacketIndex
from workers.media.ticks import seconds

_STATISTICS = re.compile(r"([0-9]{1,9}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]*)?)")  # Matroska's tag of a track
# These say nothing of their length: what FFmpeg says is an estimate.
_WITHOUT_LENGTH = DISCONTINUOUS | {
    *("mpegvideo", "h264", "hevc", "vvc", "h263", "h261", "m4v", "vc1", "cavsvideo", "dirac", "mjpeg", "obu"),
    *("yuv4mpegpipe",),
}


def last_duration(demuxer: Demuxer, index: PacketIndex) -> int:
    """Returns the duration of the last frame, in ticks.

    Where containers store decode times, a packet's duration is the distance to the next one in decoding order: of
    reordered streams of variable rate it is another frame's, and the nominal rate the better guess.
    """
    durations, stream = index.duration_P[index.shown_P], demuxer.stream
    last = int(durations[np.argmax(index.pts_P[index.shown_P])])
    rates = [rate for rate in (stream.base_rate, nominal_rate(stream)) if rate and rate <= 1000]
    nominal = max(1, round(1 / (max(rates) * index.time_base))) if rates else 1
    if last <= 0:
        return nominal
    anothers = index.reordered and demuxer.stores_dts and np.ptp(durations) > 0
    return min(last, nominal) if anothers else last


@dataclass(frozen=True)
class Claim:
    """Holds the duration according to a header, in seconds."""

    seconds: float
    of_stream: bool  # True: of the video stream; False: of the file, whose other streams may be longer


def header_claim(container: InputContainer, stream: VideoStream) -> Claim | None:
    """Returns the duration that the header claims; None: it has none."""
    if set(container.format.name.split(",")) & _WITHOUT_LENGTH:
        return None
    if clock := _STATISTICS.fullmatch(stream.metadata.get("DURATION", "")):
        hours, minutes, rest = clock.groups()
        return Claim(int(hours) * 3600 + int(minutes) * 60 + float(rest), True)
    whole = container.duration / av.time_base if container.duration else None
    if stream.duration:
        own = seconds(stream.duration, tick(stream))
        # FFmpeg gives a stream the file's length where the container has none of its own for it.
        return Claim(own, whole is None or abs(own - whole) > 1e-3)
    return None if whole is None else Claim(whole, False)


def ends_early(demuxer: Demuxer, claim: Claim, start_s: float, duration_s: float, tolerance_s: float) -> bool:
    """Returns whether the duration in the header exceeds that of the video.

    A claim may count from the video's start or from the start of the container's clock. Where it is the file's, and
    another stream is as long as it says, the video is whole.
    """
    end_s = start_s + duration_s if 0 < start_s < claim.seconds else duration_s
    if claim.seconds <= end_s + tolerance_s:
        return False
    return claim.of_stream or _others_end_s(demuxer) < claim.seconds - tolerance_s


def _others_end_s(demuxer: Demuxer) -> float:
    """Returns the end of the packets of the other streams. Reads the container once more."""
    container, end_s = demuxer.container, 0.0
    for stream in container.streams:
        stream.discard = Discard.all if stream.index == demuxer.stream.index else Discard.default
    try:
        container.seek(0)
        for packet in read_packets(container):
            if packet.pts is not None and packet.stream_index != demuxer.stream.index:
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except MemoryError:
        raise
    except (av.FFmpegError, OverflowError):
        pass  # use what could be read
    return end_s
