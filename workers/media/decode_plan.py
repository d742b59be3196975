"""Decides which frames of a segment are wanted, and which packets the decoder needs for them.

For wanted frames at times 1 and 9, where each closed GOP is decoded only up to its last wanted frame:

    packet (order of decoding)   I0  P3  b1  b2 | I4  P7  b5  b6 | I8  P9  b10      `|`: a closed GOP starts
    send_P                       1   1   1   0    0   0   0   0    1   1   0        b2 is disposable, not wanted
    flush_before_P               0   0   0   0    0   0   0   0    1   0   0        I8 does not follow what was sent
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from workers.media.frame_choice import Reach, ShownFrames, choose_frames
from workers.media.ticks import seconds

if TYPE_CHECKING:
    from workers.media.packet_index import PacketIndex

_NEAR = 1e-3  # ticks: a time this near to a tick is on it, so that a sample at a frame's time finds it after rounding


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Holds the columns of schemas.tables.media.SEGMENT that decoding needs, see there."""

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
        """Returns the times of the samples in seconds, ascending, float64 [num_samples]."""
        samples = self.first_sample + np.arange(self.num_samples, dtype=np.int64)
        return self.sample_origin_s + samples * self.sample_period_s

    def origin(self, time_base: Fraction) -> int:
        """Returns the time of the container's clock, in ticks, at second 0 of the video's timeline."""
        return self.seek_pts - round(self.start_s / float(time_base))

    def ticks(self, time_s: np.ndarray | float, time_base: Fraction) -> np.ndarray:
        """Converts seconds on the video's timeline to ticks of the container's clock, rounded down."""
        return np.floor(np.asarray(time_s) / float(time_base) + _NEAR).astype(np.int64) + self.origin(time_base)

    def windows(self, time_s_N: np.ndarray, away_s: float, time_base: Fraction) -> tuple[np.ndarray, ...]:
        """Returns for each sample the first tick that is at most `away_s` away, its own, and the last such tick.

        Times on the video's timeline, ticks of the container's clock, int64 [N] each.
        """
        earliest = np.ceil((time_s_N - away_s) / float(time_base) - _NEAR).astype(np.int64) + self.origin(time_base)
        return earliest, self.ticks(time_s_N, time_base), self.ticks(time_s_N + away_s, time_base)

    def time_s(self, pts: np.ndarray | int, time_base: Fraction) -> np.ndarray:
        """Converts ticks of the container's clock to seconds on the video's timeline, at least the segment's start."""
        # The maximum compensates for the rounding of origin and start.
        return np.asarray(np.maximum(seconds(pts - self.origin(time_base), time_base), self.start_s))


@dataclass(frozen=True)
class Plan:
    """Plans the decoding of W wanted frames over the P packets of an index.

    The frame wanted for a sample is the one displayed at its time (the last that starts at or before it) or, within the
    segment's tolerance, another one, chosen such that the fewest frames are decoded. A frame that two samples fall on
    is wanted once, for the first sample.
    """

    wanted_pts_W: np.ndarray
    """Presentation times of the wanted frames, in ticks."""
    time_s_W: np.ndarray
    """Seconds on the video's timeline, strictly ascending, also from one segment to the next."""
    sample_index_W: np.ndarray
    """The sample that each frame is wanted for."""
    send_P: np.ndarray
    """Packets the decoder needs."""
    flush_before_P: np.ndarray
    """Packets before which the decoder is flushed, since the packets before them were left out."""


def make_plan(index: PacketIndex, segment: Segment, everything: bool = False) -> Plan:
    """Makes the decode plan of a segment.

    Args:
        index: packets from the segment's key frame on.
        segment: the segment.
        everything: whether to send all packets, even those that no wanted frame needs according to the index.
    """
    numbers = _candidates(index, segment)
    shown = index.pts_P[numbers]
    if not len(shown) or not segment.num_samples:
        empty, none = np.zeros(0, np.int64), np.zeros(len(index), bool)
        return Plan(empty, empty.astype(np.float64), empty, none, none)
    away_s = 0.0 if index.missing_pts else segment.sample_tolerance_s
    earliest, ticks, latest = segment.windows(segment.sample_times(), away_s, index.time_base)
    latest = np.minimum(latest, int(segment.ticks(segment.end_s, index.time_base)) - 1)
    reach = Reach.of(shown, earliest, ticks, latest, 0, len(shown))
    position = choose_frames(ShownFrames.of(index, numbers), ticks, reach)
    position, first = np.unique(position, return_index=True)
    wanted = shown[position]
    if index.missing_pts or everything:
        send = np.ones(len(index), bool)
        flush_before = np.zeros(len(index), bool)
    else:
        send, flush_before = _needed(index, wanted)
    return Plan(wanted, segment.time_s(wanted, index.time_base), segment.first_sample + first, send, flush_before)


def _candidates(index: PacketIndex, segment: Segment) -> np.ndarray:
    """Returns the packets whose frames may be wanted, by time; of several with the same time in seconds, the first."""
    numbers = np.flatnonzero(index.shown_P & (index.pts_P >= segment.seek_pts))
    numbers = numbers[np.argsort(index.pts_P[numbers], kind="stable")]
    time_s, first = np.unique(segment.time_s(index.pts_P[numbers], index.time_base), return_index=True)
    # The first frame of the segment is always kept, even if the segment is very short.
    return np.asarray(numbers[first[(time_s < segment.end_s) | (time_s == time_s[:1])]])


def _needed(index: PacketIndex, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns `send_P` and `flush_before_P`. Leaves out closed GOPs without a wanted frame, packets after the last
    wanted frame of a GOP, and disposable frames.
    """
    is_wanted = np.isin(index.pts_P, wanted) & index.shown_P
    send = np.zeros(len(index), bool)
    flush_before = np.zeros(len(index), bool)
    starts = np.flatnonzero(index.gop_start_P)
    if not len(starts) or starts[0] != 0:
        starts = np.concatenate([[0], starts])
    gap = False
    for start, end in zip(starts, [*starts[1:], len(index)], strict=True):
        last = np.flatnonzero(is_wanted[start:end])
        if len(last):
            send[start : start + last[-1] + 1] = True
            flush_before[start] = gap
        gap = not len(last) or start + last[-1] + 1 < end
    return send & (is_wanted | ~index.disposable_P), flush_before
