"""The samples of a video: a uniform grid of times, divided into segments.

Sample i is wanted at (i + phase) intervals after the first frame. With phase 0.5 samples lie at the centres of equal
intervals, with 0 at their starts. Encoders put key frames at even times, so the phase decides how much is decoded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from workers.media.decode_plan import Segment
from workers.media.frame_choice import Reach, ShownFrames, choose_frames

if TYPE_CHECKING:
    from workers.media.packet_index import PacketIndex

Phase = float | Literal["auto", "centre", "start"]
_NAMED: dict[str, float] = {"centre": 0.5, "start": 0.0}
_STEPS = 32
# All multiples of a step, ordered by their distance from the centre; of equally good ones, the first is used.
PHASES = sorted((step / _STEPS for step in range(_STEPS)), key=lambda phase: (abs(phase - 0.5), phase))


@dataclass(frozen=True)
class AccessPoints:
    """Holds the points where decoding may start: presentation times in ticks and in seconds, ascending.

    The first is the video's start.
    """

    pts: np.ndarray
    time_s: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Holds the samples and segments of a video."""

    start_s: float
    """Time of the first frame."""
    duration_s: float
    intervals: float
    """The duration in intervals; not always a whole number."""
    period_s: float
    """Length of an interval."""
    tolerance_s: float
    """How much earlier or later than its sample a frame may start."""
    phase: Phase
    """Fraction of an interval, or its name; `auto`: the phase with the least decoding."""
    segment_s: float
    """Minimum duration of a segment in seconds."""

    def num_samples(self, phase: float) -> int:
        """Returns the number of samples before the end of the video, at least one."""
        return max(1, math.ceil(self.intervals - phase))

    def times(self, phase: float) -> np.ndarray:
        """Returns the sample times in seconds on the video's timeline, ascending."""
        return self.origin_s(phase) + np.arange(self.num_samples(phase)) * self.period_s

    def origin_s(self, phase: float) -> float:
        """Returns the time of sample 0."""
        return self.start_s + phase * self.period_s


@dataclass(frozen=True)
class SampleGrid:
    """Holds the phase of a video's samples, its segments, and the cost of decoding them."""

    access_points: AccessPoints
    phase: float
    segments: list[Segment]
    frames_to_decode: list[int]
    """Number of frames to decode of each segment."""


def segments(points: AccessPoints, sampling: Sampling, phase: float) -> list[Segment]:
    """Returns the segments of a video, without those that have no sample."""
    starts = _starts(points.time_s, sampling.segment_s)
    owner = _owners(points.time_s[starts], sampling.times(phase))
    ends_s = [*points.time_s[starts[1:]], sampling.start_s + sampling.duration_s]
    first = np.searchsorted(owner, np.arange(len(starts)))
    count = np.bincount(owner, minlength=len(starts))
    return [
        Segment(
            segment_index=number,
            start_s=float(points.time_s[start]),
            end_s=float(ends_s[number]),
            seek_pts=int(points.pts[start]),
            first_sample=int(first[number]),
            num_samples=int(count[number]),
            sample_origin_s=sampling.origin_s(phase),
            sample_period_s=sampling.period_s,
            sample_tolerance_s=sampling.tolerance_s,
        )
        for number, start in enumerate(starts)
        if count[number]
    ]


def plan_samples(index: PacketIndex, points: AccessPoints, sampling: Sampling) -> tuple[float, list[int]]:
    """Returns the phase of a video's samples, and the number of frames to decode of each of its `segments`.

    With phase `auto` the least in all are decoded; ties go to the centre. Where frames are told by their order alone,
    all of them are decoded at any phase.

    Args:
        index: of the whole video.
    """
    if isinstance(sampling.phase, float):
        phases = [sampling.phase]
    elif sampling.phase != "auto":
        phases = [_NAMED[sampling.phase]]
    else:
        phases = PHASES[:1] if index.missing_pts else PHASES
    if index.missing_pts:
        return phases[0], [len(index)]
    cost = _Cost(index, points, sampling)
    counts = [cost.frames_to_decode(phase) for phase in phases]
    best = min(range(len(phases)), key=lambda number: int(counts[number].sum()))
    return phases[best], [int(count) for count in counts[best]]


class _Cost:
    """Computes the cost of decoding the samples of a video for any phase."""

    def __init__(self, index: PacketIndex, points: AccessPoints, sampling: Sampling) -> None:
        starts = _starts(points.time_s, sampling.segment_s)
        self._sampling, self._start_s, start_pts = sampling, points.time_s[starts], points.pts[starts]
        number = np.flatnonzero(index.shown_P & (index.pts_P >= start_pts[0]))
        pts, first = np.unique(index.pts_P[number], return_index=True)
        number = number[first]
        self._first = np.searchsorted(pts, start_pts)
        self._end = np.append(self._first[1:], len(pts))
        self._frames = ShownFrames.of(index, number, number[self._first])
        group = self._frames.group_S[self._first]
        self._segment_of = np.searchsorted(group, np.arange(self._frames.group_S.max() + 1), side="right") - 1
        self._whole = Segment(
            segment_index=0,
            start_s=float(self._start_s[0]),
            end_s=np.inf,
            seek_pts=int(start_pts[0]),
            first_sample=0,
            num_samples=0,
            sample_origin_s=0.0,
            sample_period_s=sampling.period_s,
            sample_tolerance_s=sampling.tolerance_s,
        )
        self._time_base = index.time_base

    def frames_to_decode(self, phase: float) -> np.ndarray:
        """Returns the cost of each segment that has a sample, int64."""
        times_s = self._sampling.times(phase)
        owner = _owners(self._start_s, times_s)
        earliest, ticks, latest = self._whole.windows(times_s, self._sampling.tolerance_s, self._time_base)
        reach = Reach.of(self._frames.pts_S, earliest, ticks, latest, self._first[owner], self._end[owner])
        groups, count = self._frames.decoded(choose_frames(self._frames, ticks, reach))
        per_segment = np.zeros(len(self._start_s), np.int64)
        np.add.at(per_segment, np.maximum(self._segment_of[groups], 0), count)
        return np.asarray(per_segment[np.unique(owner)])


def _owners(start_s: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Returns the segment of each sample: the last one that starts at or before it."""
    return np.maximum(np.searchsorted(start_s, times_s + 1e-9, side="right") - 1, 0)


def _starts(time_s: np.ndarray, segment_s: float) -> list[int]:
    """Returns the positions of the random access points at which segments start."""
    starts = [0]
    while True:
        # At very large times, adding `segment_s` does not change a float; the next key frame is then later by more.
        following = max(int(np.searchsorted(time_s, time_s[starts[-1]] + segment_s)), starts[-1] + 1)
        if following >= len(time_s):
            return starts
        starts.append(following)
