"""The packets of a video stream as its demuxer gives them, with times that can be trusted.

A pass over packets costs about 5 us each and no decoding. It says which frame is shown when, where decoding can start,
and which packets a wanted frame does not need.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.packet import Packet

from schemas.rejects import Reject
from workers.media.bitstream import reader
from workers.media.container import ARBITRARY_CLOCKS, reason
from workers.media.demuxer import JUMP_S, Clock, Demuxer, codec_name, nominal_rate, tick

_LONGEST_S = 4_000_000_000  # clocks may count from 1900
_MAX_REORDERED = (
    32  # packets: of all codecs 16 frames may be decoded before one that is shown earlier, as two fields each
)


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


def read_index(demuxer: Demuxer, packets: Iterable[Packet] | None = None, until: int | None = None) -> PacketIndex:
    """Reads the packets from the container's position on.

    Args:
        packets: the demuxer's packets, where the caller reads them too; by default they are read here.
        until: stop when no later packet can be shown before this time (stream time base); None: to the end.

    Raises:
        Reject: `undecodable` where times are beyond all clocks.
    """
    stream = demuxer.stream
    step = max(1, round(1 / (nominal_rate(stream) * tick(stream))))
    clock = Clock(demuxer, step)
    read = _read(demuxer, demuxer if packets is None else packets, clock, until)
    pts_P, dts_P, layers_P = (np.frombuffer(values, np.int64) for values in (read.pts, read.dts, read.layers))
    flags_P = np.frombuffer(bytes(read.flags), np.uint8)
    by_order, pts_P = _presentation(demuxer, pts_P, dts_P, clock, step)
    _check_times(pts_P, tick(stream))
    return PacketIndex(
        pts_P=pts_P,
        duration_P=np.frombuffer(read.durations, np.int64),
        entry_P=flags_P & 1 > 0,
        clean_P=flags_P & 2 > 0,
        shown_P=flags_P & 4 > 0,
        disposable_P=(flags_P & 8 > 0) & (layers_P == layers_P.max(initial=0)),
        shift_P=np.frombuffer(read.offsets, np.int64),
        time_base=tick(stream),
        by_order=by_order,
        reordered=bool((np.diff(pts_P) < 0).any()),
        jumps=clock.jumps,
        error=read.error,
    )


class _Read:
    """What packets say, a number each."""

    def __init__(self) -> None:
        self.pts, self.dts, self.durations, self.layers, self.offsets = (array("q") for _ in range(5))
        self.flags = bytearray()
        self.error = ""


def _read(demuxer: Demuxer, packets: Iterable[Packet], clock: Clock, until: int | None) -> _Read:
    context, into = demuxer.stream.codec_context, _Read()
    facts_of = reader(codec_name(demuxer.stream), context.extradata, context.codec.intra_only)
    late = 0  # packets of frames from `until` on
    try:
        for packet in packets:
            facts = facts_of(memoryview(packet))
            entry = packet.is_keyframe and facts.entry is not False
            pts, dts = clock(packet, entry)
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
            into.flags.append(entry | (entry and facts.clean) << 1 | shown << 2 | facts.disposable << 3)
    except MemoryError:  # no fault of the file; libav's is one of its other errors too
        raise
    except (av.FFmpegError, OverflowError) as failure:  # OverflowError: a time that no clock shows
        into.error = reason(failure)
    for column in (into.pts, into.dts, into.offsets, into.durations, into.layers):
        del column[len(into.flags) :]  # of a packet that was not read to its end
    return into


def _check_times(pts_P: np.ndarray, time_base: Fraction) -> None:
    """Raises Reject where ticks as seconds are more than int64 or a float can count with."""
    for pts in (pts_P.min(initial=0), pts_P.max(initial=0)):
        if abs(time_s := int(pts) * time_base) > _LONGEST_S:
            raise Reject("undecodable", f"a picture's time is {float(time_s):.3g} s: no clock says that")


def _presentation(
    demuxer: Demuxer, pts_P: np.ndarray, dts_P: np.ndarray, clock: Clock, step: int
) -> tuple[bool, np.ndarray]:
    """Whether frames can only be told by their order, and their times."""
    if clock.missing_pts:
        if (np.diff(dts_P) <= 0).any():
            return True, np.arange(len(pts_P), dtype=np.int64) * step
        return True, dts_P
    # AVI stores no presentation times; nor does an MP4 of B-frames that lacks their composition offsets. Of a B-frame
    # and those around it, one at least has another time; of two frames neither is one.
    reorders = bool(demuxer.stream.codec_context.reorder_depth) and len(pts_P) > 2 and not clock.missing_dts
    untimed = demuxer.container.format.name == "avi" and (pts_P != dts_P).any()
    untimed |= reorders and bool((pts_P == dts_P).all())
    return bool(untimed), pts_P


def clock_origin(demuxer: Demuxer, first_pts: int) -> int:
    """The time, in the stream's time base, that a player shows as 0.

    0 where the container has a timeline of its own (MP4 and its edit lists, Matroska, AVI, ...): a video that starts
    at 5 s starts at 5 s. Where clocks start anywhere, the first time of all the container's streams. May read the
    container anew.
    """
    container, stream = demuxer.container, demuxer.stream
    if not set(container.format.name.split(",")) & ARBITRARY_CLOCKS:
        return 0
    if container.start_time is None:
        return first_pts
    origin = round(Fraction(container.start_time, av.time_base) / tick(stream))
    late_s = (first_pts - origin) * tick(stream)
    is_near = 0 <= late_s <= JUMP_S
    return origin if is_near or (late_s > 0 and demuxer.starts_later(origin, first_pts)) else first_pts
