"""Reads the packets of a video stream, and continues its clock over timestamp discontinuities.

A large step of a clock has one of two causes: the clock was reset or spliced, while the frames follow each other; or a
frame is displayed for a long time, as slides are. The other streams decide, since a discontinuity affects all of them.
Without other streams, MPEG-TS and Ogg tell whether parts were joined (`joins.py`). In MPEG-PS and older formats without
sound or subtitles, it is undecided: a frame displayed for longer than DISCONTINUITY_S then counts as a discontinuity,
and the extra time is cut out (flag `timestamp_jumps`).
"""

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

from workers.media.joins import may_be_joined

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
        """Whether no other stream has packets up to a time of this stream."""
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


class Clock:
    """Repairs the times of a stream's packets: continues them over discontinuities, as players do.

    Attributes:
        offset: what is added to the container's times, in ticks.
        discontinuities: number of discontinuities so far.
        missing_pts: number of packets without a presentation time in the container.
        missing_dts: number of packets without a decode time in the container.
    """

    def __init__(self, demuxer: Demuxer, step: int) -> None:
        self._demuxer, self._step = demuxer, step
        self.offset = self.discontinuities = self.missing_pts = self.missing_dts = 0
        # Repaired: the last decode time, where its packet ends, and the latest presentation time.
        self._dts: int | None = None
        self._end = 0
        self._latest: int | None = None
        self._position: int | None = None  # of the last packet in the file

    def __call__(self, packet: Packet[VideoStream], is_key: bool) -> tuple[int, int]:
        """Returns the repaired presentation and decode time of a packet, in ticks."""
        pts = packet.pts
        dts = packet.dts if pts is None or self._demuxer.stores_dts else None
        self.missing_pts += pts is None
        self.missing_dts += dts is None
        if pts is None:
            pts = dts = self._end - self.offset if dts is None else dts
        self._follow(dts, pts, packet, is_key)
        self._position = packet.pos
        return pts + self.offset, (pts if dts is None else dts) + self.offset

    def _follow(self, dts: int | None, pts: int, packet: Packet[VideoStream], is_key: bool) -> None:
        if self._latest is not None and self._demuxer.from_start:
            time = self.offset + (pts if dts is None else dts)
            if self._steps_back(dts, time, is_key) or self._steps_forward(dts, time, packet):
                self.offset += (self._latest + self._step if dts is None else self._end) - time
                self.discontinuities += 1
        if dts is not None:
            self._dts = dts + self.offset
            self._end = self._dts + (packet.duration or self._step)
        pts += self.offset
        self._latest = pts if self._latest is None else max(self._latest, pts)

    def _steps_back(self, dts: int | None, time: int, is_key: bool) -> bool:
        if dts is None:  # frames that are reordered go back, but none of them is a key frame
            assert self._latest is not None
            return is_key and time < self._latest - self._demuxer.limit
        return self._dts is not None and time < self._dts - self._demuxer.limit_back

    def _steps_forward(self, dts: int | None, time: int, packet: Packet[VideoStream]) -> bool:
        demuxer = self._demuxer
        if dts is None or self._dts is None or not demuxer.may_skip_forward:
            return False
        # Decode times of reordered frames may also pause, but never beyond a frame that is already known.
        assert self._latest is not None
        latest = max(self._end, self._latest)
        if time <= latest + demuxer.limit or demuxer.goes_on(latest - self.offset, time - self.offset):
            return False
        return not demuxer.is_alone(latest - self.offset) or may_be_joined(
            demuxer.container, self._position, packet.pos
        )


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
