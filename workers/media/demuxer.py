"""Reads the packets of a video stream, and tells which times of the other streams belong to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream

# Larger steps of a clock may be discontinuities (FFmpeg's dts_delta_threshold).
DISCONTINUITY_S = 10.0
_BACK_S = 1.0  # larger steps back are discontinuities if clocks may be reset: files of a few seconds are joined, too
# Only in these formats may the clock skip forward. In others, FLV among them, all times are intended.
DISCONTINUOUS = {"mpegts", "mpegtsraw", "mpeg", "ogg", "nsv", "dv", "pva", "ty"}
# These store presentation times only. Their demuxers guess decode times, wrongly if frames are displayed for long.
_WITHOUT_DTS = {"matroska", "webm", "nut", "rm", "wtv"}


class Demuxer:
    """Iterates over the packets of a stream that contain data; the last packets of a container are empty flush packets.

    If the clock may skip forward, sound and subtitles are read as well, but only their times are kept.

    Args:
        container: open container.
        stream: video stream of the container.
        from_start: whether the container is at its start. After a seek, a clock is never continued: files with
            timestamp discontinuities are read from their start only.
        follow: whether to read sound and subtitles in every format.
    """

    def __init__(
        self, container: InputContainer, stream: VideoStream, from_start: bool = True, follow: bool = False
    ) -> None:
        self.container, self.stream, self.from_start = container, stream, from_start
        formats = set(container.format.name.split(","))
        self.may_skip_forward = from_start and bool(formats & DISCONTINUOUS)
        self._follows = follow or self.may_skip_forward
        self.stores_dts = not formats & _WITHOUT_DTS
        self.limit = int(DISCONTINUITY_S / tick(stream))
        self.limit_back = int((_BACK_S if self.may_skip_forward else DISCONTINUITY_S) / tick(stream))
        self._runs: dict[int, _Run] = {}
        self._ticks: dict[int, float] = {}  # of each other stream's clock, in ticks of ours

    def __iter__(self) -> Iterator[Packet[VideoStream]]:
        if not self._follows:
            yield from (packet for packet in read_packets(self.container, self.stream) if packet.size)
            return
        number = self.stream.index
        for other in self.container.streams:
            if other.type != "video":  # those cost too much, and sound is there nearly always
                other.discard = Discard.default
        for packet in read_packets(self.container):
            if packet.stream_index == number:
                if packet.size:
                    yield packet
            elif (time := packet.pts if packet.dts is None else packet.dts) is not None:
                self._follow(packet, time)

    def _follow(self, packet: Packet[Any], time: int) -> None:
        number = packet.stream_index
        if number not in self._ticks:
            self._ticks[number] = float(packet.time_base / tick(self.stream))
        ticks = time * self._ticks[number]
        run = self._runs.get(number)
        if run is None or abs(ticks - run.end) > self.limit:
            self._runs[number] = _Run(ticks, ticks)
        else:
            run.end = ticks

    def goes_on(self, start: int, end: int) -> bool:
        """Returns whether another stream has packets between two times of this stream without a discontinuity."""
        return any(run.start <= start + self.limit and run.end >= end - self.limit for run in self._runs.values())

    def is_alone(self, time: int) -> bool:
        """Returns whether no other stream has packets up to a time of this stream."""
        return all(run.end < time - self.limit for run in self._runs.values())

    def starts_later(self, origin: int, first: int) -> bool:
        """Returns whether another stream has packets from `origin` to the first packet of this one.

        Reads the container again from its start.
        """
        again = Demuxer(self.container, self.stream, follow=True)
        try:
            self.container.seek(self.container.start_time or 0)
            next(iter(again), None)
        except MemoryError:
            raise
        except av.FFmpegError:
            return False
        return again.goes_on(origin, first)


@dataclass
class _Run:
    """First and last time of consecutive packets of a stream without a discontinuity."""

    start: float
    end: float


def read_packets(container: InputContainer, *streams: VideoStream) -> Iterator[Packet[Any]]:
    """Yields the packets of some streams, or of all."""
    try:
        yield from container.demux(*streams)
    except IndexError:
        # At the end, PyAV also flushes streams that appeared later, which it does not know. All packets have been read.
        return


def codec_name(stream: VideoStream) -> str:
    """Returns FFmpeg's name of the codec, whichever library decodes it: `av1`, not `libdav1d`."""
    return stream.codec_context.codec.canonical_name


def tick(stream: VideoStream) -> Fraction:
    """Returns the stream's time base, which demuxers set for each stream."""
    assert stream.time_base is not None
    return stream.time_base


def nominal_rate(stream: VideoStream) -> Fraction:
    """Returns the frame rate in the header if it is plausible, else 25 as FFmpeg does."""
    for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate):
        if rate and Fraction(1, 1000) <= rate <= 1000:
            return Fraction(rate)
    return Fraction(25)
