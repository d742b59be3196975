"""The packets of a video stream as its demuxer gives them, with times that can be trusted.

A pass over packets costs about 5 us each and no decoding. It says which frame is shown when, where decoding can start,
and which packets a wanted frame does not need.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from schemas.rejects import Reject
from workers.bitstream import reader
from workers.media_file import ARBITRARY_CLOCKS, reason

# A clock that jumps by more was reset or spliced (FFmpeg's dts_delta_threshold). Only of formats that allow it:
# in others a picture may well be held for longer.
JUMP_S = 10.0
_LONGEST_S = 4_000_000_000  # clocks may count from 1900
DISCONTINUOUS = {"mpegts", "mpeg", "flv", "live_flv", "ogg", "nsv", "dv", "mpegtsraw", "pva", "ty"}


@dataclass(frozen=True)
class PacketIndex:
    """P packets in the order of decoding; times in the stream's time base.

    `by_order`: the container doesn't say when which picture is shown (AVI with B-frames, raw streams). The decoder
    puts the pictures in their order; the i-th is shown at the i-th of `shown_pts()`.
    """

    pts_P: np.ndarray
    duration_P: np.ndarray
    entry_P: np.ndarray
    clean_P: np.ndarray
    shown_P: np.ndarray
    disposable_P: np.ndarray
    shift_P: np.ndarray  # added to the container's times: not 0 after a jump of its clock
    time_base: Fraction
    by_order: bool
    reordered: bool
    jumps: int
    error: str  # why demuxing ended early, or ""

    def __len__(self) -> int:
        return len(self.pts_P)

    def shown_pts(self) -> np.ndarray:
        """Times of the pictures that are shown, ascending."""
        return np.sort(self.pts_P[self.shown_P])


class _Clock:
    """Continues a clock that jumps, as players do."""

    def __init__(self, container: InputContainer, time_base: Fraction, step: int) -> None:
        self.limit = int(JUMP_S / time_base)
        self._forward = bool(set(container.format.name.split(",")) & DISCONTINUOUS)
        self._step, self.shift, self.jumps = step, 0, 0
        self._next: int | None = None

    def __call__(self, dts: int, duration: int) -> int:
        """The shift of a packet."""
        if self._next is not None:
            gap = dts + self.shift - self._next
            if gap < -self.limit or (self._forward and gap > self.limit):
                self.shift -= gap
                self.jumps += 1
        self._next = dts + self.shift + (duration or self._step)
        return self.shift


def read_index(
    container: InputContainer, stream: VideoStream, packets: Iterator[Packet] | None = None, until: int | None = None
) -> PacketIndex:
    """Reads the packets from where the container stands.

    Args:
        packets: the packets, where the caller wants to see them too; else they are demuxed here.
        until: stop when no later packet can be shown before this time (stream time base); None: to the end.

    Raises:
        Reject: `undecodable` where times are beyond all clocks.
    """
    step = max(1, round(1 / (nominal_rate(stream) * tick(stream))))
    clock = _Clock(container, tick(stream), step)
    read = _read(stream, packets or demux(container, stream), clock, step, until)
    pts_P, dts_P, layers_P = (np.frombuffer(values, np.int64) for values in (read.pts, read.dts, read.layers))
    flags_P = np.frombuffer(bytes(read.flags), np.uint8)
    by_order, pts_P = _presentation(container, stream, pts_P, dts_P, read.missing, step)
    _check_times(pts_P, tick(stream))
    return PacketIndex(
        pts_P=pts_P,
        duration_P=np.frombuffer(read.durations, np.int64),
        entry_P=flags_P & 1 > 0,
        clean_P=flags_P & 2 > 0,
        shown_P=flags_P & 4 > 0,
        disposable_P=(flags_P & 8 > 0) & (layers_P == layers_P.max(initial=0)),
        shift_P=np.frombuffer(read.shifts, np.int64),
        time_base=tick(stream),
        by_order=by_order,
        reordered=bool((np.diff(pts_P) < 0).any()),
        jumps=clock.jumps,
        error=read.error,
    )


class _Read:
    """What packets say, a number each; `missing` of them have no presentation time."""

    def __init__(self) -> None:
        self.pts, self.dts, self.durations, self.layers, self.shifts = (array("q") for _ in range(5))
        self.flags = bytearray()
        self.missing, self.error = 0, ""


def _read(stream: VideoStream, packets: Iterator[Packet], clock: _Clock, step: int, until: int | None) -> _Read:
    context, into = stream.codec_context, _Read()
    facts_of = reader(codec_name(stream), context.extradata, context.codec.intra_only)
    pts, dts, shifts = into.pts, into.dts, into.shifts
    try:
        for packet in packets:
            facts = facts_of(memoryview(packet))
            packet_pts, packet_dts, length = packet.pts, packet.dts, packet.duration or 0
            decode_time = packet_dts if packet_dts is not None else packet_pts
            if decode_time is None:
                decode_time = dts[-1] - shifts[-1] + step if dts else 0
            offset = clock(decode_time, length)
            # Without its decode time a packet may be followed by ones that are shown before it.
            if until is not None and decode_time + offset >= until + (clock.limit if packet_dts is None else 0):
                break
            into.missing += packet_pts is None
            shifts.append(offset)
            dts.append(decode_time + offset)
            pts.append((decode_time if packet_pts is None else packet_pts) + offset)
            into.durations.append(length)
            into.layers.append(facts.layer)
            entry = packet.is_keyframe and facts.entry is not False
            shown = facts.shown and not packet.is_discard
            into.flags.append(entry | (entry and facts.clean) << 1 | shown << 2 | facts.disposable << 3)
    except MemoryError:  # no fault of the file; libav's is one of its other errors too
        raise
    except (av.FFmpegError, OverflowError) as failure:  # OverflowError: a time that no clock shows
        into.error = reason(failure)
    for column in (pts, dts, shifts, into.durations, into.layers):
        del column[len(into.flags) :]  # of a packet that was not read to its end
    return into


def _check_times(pts_P: np.ndarray, time_base: Fraction) -> None:
    """Raises Reject where ticks as seconds are more than int64 or a float can count with."""
    for pts in (pts_P.min(initial=0), pts_P.max(initial=0)):
        if abs(time_s := int(pts) * time_base) > _LONGEST_S:
            raise Reject("undecodable", f"a picture's time is {float(time_s):.3g} s: no clock says that")


def demux(container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
    """The stream's packets that hold data (the last ones of a container are empty: they flush)."""
    return (packet for packet in container.demux(stream) if packet.size)


def codec_name(stream: VideoStream) -> str:
    """FFmpeg's name of the codec, whichever library decodes it: `av1`, not `libdav1d`."""
    return stream.codec_context.codec.canonical_name


def tick(stream: VideoStream) -> Fraction:
    """The stream's time base; demuxers set one for each stream."""
    assert stream.time_base is not None
    return stream.time_base


def nominal_rate(stream: VideoStream) -> Fraction:
    """Frames a second by the header, where it says something that can be true; else 25, as FFmpeg has it."""
    for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate):
        if rate and Fraction(1, 1000) <= rate <= 1000:
            return Fraction(rate)
    return Fraction(25)


def _presentation(
    container: InputContainer, stream: VideoStream, pts_P: np.ndarray, dts_P: np.ndarray, missing: int, step: int
) -> tuple[bool, np.ndarray]:
    """Whether pictures can only be told by their order, and their times."""
    reorders = bool(stream.codec_context.reorder_depth)
    if missing:
        if (np.diff(dts_P) <= 0).any():
            return True, np.arange(len(pts_P), dtype=np.int64) * step
        return True, dts_P
    # AVI stores no presentation times; nor does an MP4 of B-frames that lacks their composition offsets.
    untimed = container.format.name == "avi" and (pts_P != dts_P).any()
    untimed |= reorders and len(pts_P) > 1 and bool((pts_P == dts_P).all())
    return bool(untimed), pts_P


def clock_origin(container: InputContainer, stream: VideoStream, first_pts: int) -> int:
    """The time, in the stream's time base, that a player shows as 0.

    0 where the container has a timeline of its own (MP4 and its edit lists, Matroska, AVI, ...): a video that starts
    at 5 s starts at 5 s. Where clocks start anywhere, the first time of all the container's streams.
    """
    if not set(container.format.name.split(",")) & ARBITRARY_CLOCKS:
        return 0
    if container.start_time is None:
        return first_pts
    origin = round(Fraction(container.start_time, av.time_base) / tick(stream))
    return origin if 0 <= (first_pts - origin) * tick(stream) <= JUMP_S else first_pts


def seconds(ticks: int | np.ndarray, time_base: Fraction) -> Any:
    """Ticks of a time base as seconds, rounded once: a float, or an array of them."""
    return ticks * time_base.numerator / time_base.denominator
