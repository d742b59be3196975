"""Which pictures of a segment are wanted, and which packets the decoder must see for them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from workers.media.frame_choice import Reach, ShownFrames, choose_frames
from workers.media.ticks import seconds

if TYPE_CHECKING:
    from workers.media.packet_index import PacketIndex


@dataclass(frozen=True, kw_only=True)
class Segment:
    """The columns of schemas.tables.SEGMENT that decoding needs; see there."""

    segment_index: int
    start_s: float
    end_s: float
    seek_pts: int
    first_sample: int
    num_samples: int
    sample_origin_s: float
    sample_period_s: float
    sample_tolerance_s: float

    def sample_times(self) -> np.ndarray:
        """Times of the samples, ascending, seconds [num_samples]."""
        samples = self.first_sample + np.arange(self.num_samples, dtype=np.int64)
        return self.sample_origin_s + samples * self.sample_period_s

    def origin(self, time_base: Fraction) -> int:
        """What the container's clock shows, in ticks, at second 0 of the video's timeline."""
        return self.seek_pts - round(self.start_s / float(time_base))

    def ticks(self, time_s: np.ndarray | float, time_base: Fraction) -> np.ndarray:
        """Seconds on the video's timeline as ticks of the container's clock, rounded down."""
        # A thousandth of a tick: a sample that falls on a frame finds it, whatever the last bit of a float.
        return np.floor(np.asarray(time_s) / float(time_base) + 1e-3).astype(np.int64) + self.origin(time_base)

    def time_s(self, pts: np.ndarray | int, time_base: Fraction) -> np.ndarray:
        """Ticks of the container's clock as seconds on the video's timeline; never before the segment's start."""
        # Origin and start were rounded.
        return np.maximum(seconds(pts - self.origin(time_base), time_base), self.start_s)


@dataclass(frozen=True)
class Plan:
    """W wanted pictures, P packets of the index.

    The frame wanted for a time is the one shown then (the last that starts at or before it), or, within the segment's
    tolerance, another one, such that the least is decoded. One that two samples fall on is wanted once, for the first.
    """

    wanted_pts_W: np.ndarray
    time_s_W: np.ndarray
    """Seconds on the video's timeline, strictly ascending, also from a segment to the next."""
    sample_index_W: np.ndarray
    send_P: np.ndarray
    """Packets the decoder must see."""
    restart_P: np.ndarray
    """Packets before which the decoder is emptied: what it saw last isn't what comes before them."""


def make_plan(index: PacketIndex, segment: Segment, everything: bool = False) -> Plan:
    """Args:
    everything: send all packets, whatever their bytes say about who needs them.
    """
    numbers = _candidates(index, segment)
    shown = index.pts_P[numbers]
    if not len(shown) or not segment.num_samples:
        empty, none = np.zeros(0, np.int64), np.zeros(len(index), bool)
        return Plan(empty, empty.astype(np.float64), empty, none, none)
    sample_s, away_s = segment.sample_times(), 0.0 if index.by_order else segment.sample_tolerance_s
    earliest, ticks, latest = (segment.ticks(sample_s + away, index.time_base) for away in (-away_s, 0.0, away_s))
    latest = np.minimum(latest, int(segment.ticks(segment.end_s, index.time_base)) - 1)
    reach = Reach.of(shown, earliest, ticks, latest, 0, len(shown))
    position = choose_frames(ShownFrames.of(index, numbers), ticks, reach)
    position, first = np.unique(position, return_index=True)
    wanted = shown[position]
    if index.by_order or everything:
        send = np.ones(len(index), bool)
        restart = np.zeros(len(index), bool)
    else:
        send, restart = _needed(index, wanted)
    return Plan(wanted, segment.time_s(wanted, index.time_base), segment.first_sample + first, send, restart)


def _candidates(index: PacketIndex, segment: Segment) -> np.ndarray:
    """Numbers of the packets whose frames may be kept, by their time: of those whose times are one float, the first."""
    numbers = np.flatnonzero(index.shown_P & (index.pts_P >= segment.seek_pts))
    numbers = numbers[np.argsort(index.pts_P[numbers], kind="stable")]
    time_s, first = np.unique(segment.time_s(index.pts_P[numbers], index.time_base), return_index=True)
    # The segment's own first frame stays, however short the segment is.
    return numbers[first[(time_s < segment.end_s) | (time_s == time_s[:1])]]


def _needed(index: PacketIndex, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leaves out what follows the last wanted picture of a closed group of pictures, groups without one, and pictures
    that nothing refers to.
    """
    is_wanted = np.isin(index.pts_P, wanted) & index.shown_P
    send = np.zeros(len(index), bool)
    restart = np.zeros(len(index), bool)
    starts = np.flatnonzero(index.clean_P)
    if not len(starts) or starts[0] != 0:
        starts = np.concatenate([[0], starts])
    gap = False
    for start, end in zip(starts, [*starts[1:], len(index)], strict=True):
        last = np.flatnonzero(is_wanted[start:end])
        if len(last):
            send[start : start + last[-1] + 1] = True
            restart[start] = gap
        gap = not len(last) or start + last[-1] + 1 < end
    return send & (is_wanted | ~index.disposable_P), restart
