"""Reads the packets of a video stream and repairs their times, without decoding them (about 5 us per packet).

The index tells when each frame is displayed, where decoding can start, and which packets a frame does not need:

    packet (order of decoding)   0    1    2    3    4    5
    type                         I    P    b    b    I    P      I: IDR, P: referenced, b: disposable
    pts_P                        0    3    1    2    4    5      ticks
    gop_start_P                  1    0    0    0    1    0      packet 5 needs packet 4, and nothing before it
    disposable_P                 0    0    1    1    0    0      packet 3 needs packets 0 and 1, but not 2
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from schemas.rejects import Reject
from workers.media.bitstream import reader
from workers.media.clock import Clock
from workers.media.container import ARBITRARY_CLOCKS, reason
from workers.media.demuxer import DISCONTINUITY_S, Demuxer, codec_name, nominal_rate, tick

_LONGEST_S = 4_000_000_000  # some clocks count from the year 1900
# Packets: of all codecs 16 frames may be decoded before one that is shown earlier, as two fields each.
_MAX_REORDERED = 32


@dataclass(frozen=True)
class PacketIndex:
    """Holds P packets in the order of decoding; times are in the stream's time base.

    Attributes:
        pts_P: presentation times, repaired.
        duration_P: durations according to the container.
        random_access_P: whether the packet is a random access point, where decoding can start.
        gop_start_P: whether it starts a closed GOP: no later packet in decoding order refers to an earlier one.
        shown_P: whether its frame is displayed.
        disposable_P: whether no other frame refers to it.
        pts_offset_P: what was added to the container's times; not 0 after a timestamp discontinuity.
        missing_pts: whether the container does not tell when frames are displayed (AVI with B-frames, raw streams). The
            decoder returns the frames in their order, and frame i is displayed at `shown_pts()[i]`.
        reordered: whether the order of decoding differs from that of display.
        discontinuities: number of timestamp discontinuities.
        error: why demuxing ended early; empty if it did not.
    """

    pts_P: np.ndarray
    duration_P: np.ndarray
    random_access_P: np.ndarray
    gop_start_P: np.ndarray
    shown_P: np.ndarray
    disposable_P: np.ndarray
    pts_offset_P: np.ndarray
    time_base: Fraction
    missing_pts: bool
    reordered: bool
    discontinuities: int
    error: str

    def __len__(self) -> int:
        return len(self.pts_P)

    def shown_pts(self) -> np.ndarray:
        """Returns the times of the displayed frames, ascending."""
        return np.sort(self.pts_P[self.shown_P])


def read_index(
    demuxer: Demuxer, packets: Iterable[Packet[VideoStream]] | None = None, until: int | None = None
) -> PacketIndex:
    """Reads the packets from the container's position on.

    Args:
        demuxer: demuxer of the stream.
        packets: the demuxer's packets, if the caller reads them too; by default they are read here.
        until: stops when no later packet can be displayed before this time (stream time base); None: at the end.

    Raises:
        Reject: `undecodable` if times are out of range.
    """
    stream = demuxer.stream
    step = max(1, round(1 / (nominal_rate(stream) * tick(stream))))
    clock = Clock(demuxer, step)
    reorders = bool(stream.codec_context.reorder_depth)  # before a caller decodes packets, which may change it
    read = _read(demuxer, demuxer if packets is None else packets, clock, until)
    pts_P, dts_P, layers_P = (np.frombuffer(values, np.int64) for values in (read.pts, read.dts, read.layers))
    flags_P = np.frombuffer(bytes(read.flags), np.uint8)
    missing_pts, pts_P = _presentation(demuxer, pts_P, dts_P, clock, step, reorders)
    _check_times(pts_P, tick(stream))
    return PacketIndex(
        pts_P=pts_P,
        duration_P=np.frombuffer(read.durations, np.int64),
        random_access_P=flags_P & 1 > 0,
        gop_start_P=flags_P & 2 > 0,
        shown_P=flags_P & 4 > 0,
        disposable_P=(flags_P & 8 > 0) & (layers_P == layers_P.max(initial=0)),
        pts_offset_P=np.frombuffer(read.offsets, np.int64),
        time_base=tick(stream),
        missing_pts=missing_pts,
        reordered=bool((np.diff(pts_P) < 0).any()),
        discontinuities=clock.discontinuities,
        error=read.error,
    )


class _Read:
    """The columns of an index while packets are read, one number per packet."""

    def __init__(self) -> None:
        self.pts, self.dts, self.durations, self.layers, self.offsets = (array("q") for _ in range(5))
        self.flags = bytearray()
        self.error = ""


def _read(demuxer: Demuxer, packets: Iterable[Packet[VideoStream]], clock: Clock, until: int | None) -> _Read:
    context, into = demuxer.stream.codec_context, _Read()
    facts_of = reader(codec_name(demuxer.stream), context.extradata, context.codec.intra_only)
    late = 0  # packets of frames from `until` on
    try:
        for packet in packets:
            facts = facts_of(memoryview(packet))
            random_access = packet.is_keyframe and facts.random_access is not False
            pts, dts = clock(packet, random_access)
            if until is not None and pts >= until:
                late += 1
                if late > _MAX_REORDERED or (dts >= until and demuxer.stores_dts and packet.dts is not None):
                    break
            into.pts.append(pts)
            into.dts.append(dts)
            into.offsets.append(clock.offset)
            into.durations.append(packet.duration or 0)
            into.layers.append(facts.layer)
            shown = facts.shown and not packet.is_discard
            into.flags.append(
                random_access | (random_access and facts.starts_gop) << 1 | shown << 2 | facts.disposable << 3
            )
    except MemoryError:  # not a fault of the file; first, since libav's is also an FFmpegError
        raise
    except (av.FFmpegError, OverflowError) as failure:  # OverflowError: a time that no clock shows
        into.error = reason(failure)
    for column in (into.pts, into.dts, into.offsets, into.durations, into.layers):
        del column[len(into.flags) :]  # of a packet that was not read to its end
    return into


def _check_times(pts_P: np.ndarray, time_base: Fraction) -> None:
    """Raises Reject if times in seconds exceed what int64 and float can represent exactly enough."""
    for pts in (pts_P.min(initial=0), pts_P.max(initial=0)):
        if abs(time_s := int(pts) * time_base) > _LONGEST_S:
            raise Reject("undecodable", f"a frame's time is {float(time_s):.3g} s: no clock says that")


def _presentation(
    demuxer: Demuxer, pts_P: np.ndarray, dts_P: np.ndarray, clock: Clock, step: int, reorders: bool
) -> tuple[bool, np.ndarray]:
    """Returns whether presentation times are missing, and the times to use."""
    if clock.missing_pts:
        if (np.diff(dts_P) <= 0).any():
            return True, np.arange(len(pts_P), dtype=np.int64) * step
        return True, dts_P
    # AVI stores no presentation times; nor does an MP4 of B-frames that lacks their composition offsets. Of a B-frame
    # and those around it, one at least has another time; of two frames neither is one.
    reorders = reorders and len(pts_P) > 2 and not clock.missing_dts
    untimed = demuxer.container.format.name == "avi" and (pts_P != dts_P).any()
    untimed |= reorders and bool((pts_P == dts_P).all())
    return bool(untimed), pts_P


def clock_origin(demuxer: Demuxer, first_pts: int) -> int:
    """Returns the time, in ticks of the stream, that a player displays as 0.

    It is 0 if the container has its own timeline (MP4 with its edit lists, Matroska, AVI, ...): a video that starts
    at 5 s starts at 5 s. In formats whose clocks start anywhere, it is the first time of all streams of the container.
    May read the container again.
    """
    container, stream = demuxer.container, demuxer.stream
    if not set(container.format.name.split(",")) & ARBITRARY_CLOCKS:
        return 0
    if container.start_time is None:
        return first_pts
    origin = round(Fraction(container.start_time, av.time_base) / tick(stream))
    late_s = (first_pts - origin) * tick(stream)
    is_near = 0 <= late_s <= DISCONTINUITY_S
    return origin if is_near or (late_s > 0 and demuxer.starts_later(origin, first_pts)) else first_pts
