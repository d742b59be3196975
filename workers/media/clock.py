"""Continues the clock of a video stream over timestamp discontinuities.

A large step of a clock has one of two causes: the clock was reset or spliced, while the frames follow each other; or a
frame is displayed for a long time, as slides are. The other streams decide, since a discontinuity affects all of them.
Without other streams, MPEG-TS and Ogg tell whether parts were joined (`joins.py`). In MPEG-PS and older formats without
sound or subtitles, it is undecided: a frame displayed for longer than DISCONTINUITY_S then counts as a discontinuity,
and the extra time is cut out (flag `timestamp_jumps`).
"""

from __future__ import annotations

from av.packet import Packet
from av.video.stream import VideoStream

from workers.media.demuxer import Demuxer
from workers.media.joins import may_be_joined


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
        if self._latest is None or pts > self._latest:
            self._latest = pts

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
