"""Which frame stands for each sample, chosen for a whole closed GOP at a time so that the least is decoded.

To have a frame of a closed GOP, the decoder needs all frames of that GOP that come before it in the order of decoding,
less those that nothing refers to (disposable ones):

    order of decoding   I  P  b  b  P  b  b  P        I: key frame, P: others refer to it, b: disposable
    depth               1  2  2  2  3  3  3  4        frames that others refer to, up to this one
    shown               0  3  1  2  6  4  5  9

So the depth that a GOP is decoded to decides its cost, and the last of its samples decides the depth. A sample whose
tolerance holds a key frame asks for no depth beyond 1; all others of the GOP are then free to take the nearest frame
that is decoded anyway.

Shapes: S shown frames of a stream by time, N samples, X pairs of a sample and a frame that may stand for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from workers.media.packet_index import PacketIndex

_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class ShownFrames:
    """Holds the frames that may be used for samples, and the cost of decoding each."""

    pts_S: np.ndarray
    """Presentation times, strictly ascending."""
    group_S: np.ndarray
    """Closed GOPs, counted from 0."""
    depth_S: np.ndarray
    disposable_S: np.ndarray
    key_S: np.ndarray

    @classmethod
    def of(cls, index: PacketIndex, number_S: np.ndarray, starts: np.ndarray | None = None) -> ShownFrames:
        """Computes the cost of frames of an index.

        Args:
            number_S: the packets, by time.
            starts: packets before which decoding starts, besides those that start a closed GOP.
        """
        is_start = index.gop_start_P.copy()
        is_start[starts if starts is not None else []] = True
        group = np.cumsum(is_start)
        referred = np.cumsum(~index.disposable_P)
        # Number of reference frames before the first packet of each group; those of group 0 have no start.
        before = np.concatenate([[0], (referred - ~index.disposable_P)[is_start]])
        return cls(
            pts_S=index.pts_P[number_S],
            group_S=group[number_S],
            depth_S=(referred - before[group])[number_S],
            disposable_S=index.disposable_P[number_S],
            key_S=index.gop_start_P[number_S],
        )

    def decoded(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the groups that must be decoded for some frames, and the number of frames of each."""
        chosen = np.unique(chosen)
        groups, place = np.unique(self.group_S[chosen], return_inverse=True)
        count = np.zeros(len(groups), np.int64)
        np.maximum.at(count, place, self.depth_S[chosen])
        np.add.at(count, place, self.disposable_S[chosen])
        return groups, count


@dataclass(frozen=True)
class Reach:
    """Holds the frames that may be used for each sample: positions [low, high) in the shown frames."""

    low_N: np.ndarray
    high_N: np.ndarray

    @classmethod
    def of(
        cls,
        pts_S: np.ndarray,
        earliest_N: np.ndarray,
        ticks_N: np.ndarray,
        latest_N: np.ndarray,
        first_N: np.ndarray | int,
        end_N: np.ndarray | int,
    ) -> Reach:
        """Returns the frames that start between `earliest_N` and `latest_N`, both included, or else the one shown.

        Samples come in order, and no frame is in reach of two of them. A frame that is held so long that it is all that
        a sample has is left to it by those before, where they have another.

        Args:
            first_N, end_N: positions that a sample's segment starts and ends on.
        """
        high = np.minimum(np.searchsorted(pts_S, latest_N, side="right"), end_N)
        # With a tolerance of nearly half of the period, samples may share a tick: its frame is left to the first.
        low = np.maximum(np.searchsorted(pts_S, earliest_N), np.concatenate([[0], high[:-1]]))
        low = np.maximum(low, first_N)
        shown = np.maximum(np.searchsorted(pts_S, ticks_N, side="right") - 1, first_N)
        high = np.maximum(low, high)
        # One that starts earlier but is the one shown, where it is in no other sample's reach.
        low = np.minimum(low, np.maximum(shown, np.concatenate([[0], high[:-1]])))
        nothing = low == high
        if nothing.any() and not nothing.all():
            for sample in range(len(low) - 1, 0, -1):
                if low[sample] >= high[sample]:
                    high[sample - 1] = min(high[sample - 1], shown[sample])
            nothing = low >= high
        return cls(np.where(nothing, shown, low), np.where(nothing, shown + 1, high))


def choose_frames(frames: ShownFrames, ticks_N: np.ndarray, reach: Reach) -> np.ndarray:
    """Returns positions in the shown frames, one per sample [N], with the least decoding; of equals, the nearest."""
    size = reach.high_N - reach.low_N
    start = np.cumsum(size) - size
    frame = np.repeat(reach.low_N - start, size) + np.arange(size.sum())

    def least(*scores_X: np.ndarray) -> np.ndarray:
        """Returns the frame with the least scores for each sample, the first score first; of equals, the first."""
        is_least = np.ones(len(frame), bool)
        for score in scores_X:
            score = np.where(is_least, score, _MOST)
            is_least &= score == np.repeat(np.minimum.reduceat(score, start), size)
        return np.minimum.reduceat(np.where(is_least, frame, _MOST), start)

    group, depth, disposable, key = (
        column[frame] for column in (frames.group_S, frames.depth_S, frames.disposable_S, frames.key_S)
    )
    distance = np.abs(frames.pts_S[frame] - np.repeat(ticks_N, size))
    has_key = np.logical_or.reduceat(key, start)
    # The position up to which each group is decoded for the samples without a key frame, ...
    forced = least(depth + disposable, disposable)[~has_key]
    decoded_to = np.zeros(int(frames.group_S.max()) + 1, np.int64)
    np.maximum.at(decoded_to, frames.group_S[forced], frames.depth_S[forced])
    # ... and the key frames of samples none of whose frames are decoded up to there.
    has_free = np.logical_or.reduceat((depth <= decoded_to[group]) & ~disposable, start)
    keys = least(~key, distance)[has_key & ~has_free]
    decoded_to[frames.group_S[keys]] = np.maximum(decoded_to[frames.group_S[keys]], 1)
    return least(depth > decoded_to[group], disposable, distance)
