"""Detects shot boundaries from thumbnails and embeddings of a video's frames.

At about one frame per second, two frames of the same shot may have little in common, so the measure of change must
tolerate motion. It is the geometric mean of a spatial change (correlation of the layout, independent of brightness and
contrast) and a colour change (histograms of the four quarters): motion changes the former, lighting the latter, a cut
both. If the thumbnails are inconclusive, the embedding decides.

A frame in the middle of a dissolve, fade or flash is a mixture of the frames around it, black and white; a shot of one
frame is not. Hence a transition counts as one boundary, and a flash as none.

Shapes: N frames; N - 1 steps, where step i leads from frame i to frame i + 1.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workers.shots.thumbnails import GRID, SIDE, Thumbnails, chunks

_BINS = 8
_FINE, _SAME = 16, 8  # rows and columns, and levels of 255, by which a part of the frame counts as unchanged
_FLAT = 2.0  # luma levels of noise: below that a layout says nothing
_LONGEST = 4  # steps of a transition, whatever its seconds
_SUBSETS = [some for size in (1, 2, 3) for some in combinations(range(3), size)]
_BLACK = np.array([0, 128, 128], np.float32)
_WHITE = np.tile(np.array([255, 0, 0], np.float32), GRID * GRID)


@dataclass(frozen=True, kw_only=True)
class CutRule:
    """Sets the thresholds that decide whether a step is a cut."""

    pixel_change: float
    """Minimum change of the thumbnails, 0 to 1."""
    embedding_change: float
    """Minimum change of the embeddings, 1 - cosine."""
    noise_factor: float
    """A change must be this many times the change of the quietest steps in the window around it."""
    noise_window: int
    """Number of steps before and after a step that belong to its window."""
    embedding_assist_ratio: float
    """Share of `pixel_change` that suffices if the embedding changes as well."""
    static_ratio: float
    """If a larger share of the frame stays the same, an overlay appeared and there is no cut."""
    transition_s: float
    """Maximum duration of a dissolve, fade or flash, in seconds."""


class Steps:
    """Holds the differences between the frames of a video.

    Args:
        frames: thumbnails of N frames.
        embeddings_ND: L2-normalised embeddings.
    """

    pixels: np.ndarray
    """[N - 1], change of the thumbnails, 0 to about 1."""
    embedding: np.ndarray
    """[N - 1], 1 - cosine."""
    luma: np.ndarray
    """[N - 1], mean absolute change of a thumbnail's cells, 0 to 255."""

    def __init__(self, frames: Thumbnails, embeddings_ND: np.ndarray) -> None:
        self.time_s = frames.time_s
        marks = [(_layout(part), _histograms(part), _grid(part, _FINE)) for part in chunks(frames.ycc)]
        self._layout_ND, self._histograms_NB, self._fine_N = (
            np.concatenate(parts) for parts in zip(*marks, strict=True)
        )
        self.pixels = self.change(1)
        self.embedding = np.maximum(1 - np.einsum("nd,nd->n", embeddings_ND[1:], embeddings_ND[:-1]), 0)
        self.luma = _apart(frames.luma, 1).mean(axis=(1, 2))

    def change(self, steps: int) -> np.ndarray:
        """Returns [N - steps]: the change of the thumbnails over the given number of steps."""
        # Opposed layouts are no further apart than unlike ones.
        moved = np.clip(1 - np.einsum("nd,nd->n", self._layout_ND[steps:], self._layout_ND[:-steps]), 0, 1)
        coloured = _apart(self._histograms_NB, steps).sum(axis=1) / (2 * 3 * SIDE * SIDE)
        return np.asarray(np.sqrt(moved * coloured))

    def kept(self, steps: int) -> np.ndarray:
        """Returns [N - steps]: the share of the frame whose colour is the same after the given number of steps."""
        return np.asarray((_apart(self._fine_N, steps).max(axis=3) <= _SAME).mean(axis=(1, 2)))

    def is_transition(self, first: int, last: int) -> bool:
        """Returns whether all frames between two frames are mixtures of the two, black and white."""
        if last - first > _LONGEST:
            return False
        fine = self._fine_N[first : last + 1]
        colours = fine.reshape(len(fine), GRID, _FINE // GRID, GRID, _FINE // GRID, 3).mean(axis=(2, 4)) - _BLACK
        start, *between, end = colours.reshape(len(fine), -1)
        return all(_is_mixture(colour, start, end) for colour in between)


def find_cuts(steps: Steps, rule: CutRule) -> np.ndarray:
    """Returns the steps between shots: int64 [cuts], ascending."""
    pixels = _strength(steps.pixels, rule.pixel_change, rule)
    embedding = _strength(steps.embedding, rule.embedding_change, rule)
    cut = (pixels >= 1) | ((pixels >= rule.embedding_assist_ratio) & (embedding >= 1))
    cut &= steps.kept(1) <= rule.static_ratio
    for length in range(min(_LONGEST, len(cut)), 1, -1):
        _join(cut, steps, length, rule)
    for length in range(2, min(_LONGEST, len(cut)) + 1):
        _add_slow(cut, steps, length, rule)
    return np.flatnonzero(cut)


def cut_sources(steps: Steps, cuts: np.ndarray, rule: CutRule) -> list[list[str]]:
    """Returns for each cut which of `pixels` and `embedding` alone would detect it."""
    found = {
        "pixels": _strength(steps.pixels, rule.pixel_change, rule) >= 1,
        "embedding": _strength(steps.embedding, rule.embedding_change, rule) >= 1,
    }
    return [[name for name, shows in found.items() if shows[cut]] for cut in cuts]


def _join(cut: np.ndarray, steps: Steps, length: int, rule: CutRule) -> None:
    """Reduces `length` consecutive cuts that form one transition to one cut, or to none if it returns to its start."""
    apart = steps.change(length) >= rule.pixel_change
    for first in np.flatnonzero(_windows(cut, length).all(axis=1) & _short(steps, length, rule)).tolist():
        inside = slice(first, first + length)
        if cut[inside].all() and steps.is_transition(first, first + length):
            cut[inside] = False
            cut[first + steps.pixels[inside].argmax()] = apart[first]


def _add_slow(cut: np.ndarray, steps: Steps, length: int, rule: CutRule) -> None:
    """Adds transitions over `length` steps in which, and next to which, no single step is a cut."""
    apart = _strength(steps.change(length), rule.pixel_change, rule) >= 1
    apart &= (steps.kept(length) <= rule.static_ratio) & _short(steps, length, rule)
    for first in np.flatnonzero(apart).tolist():
        inside = slice(first, first + length)
        if not cut[max(0, first - 1) : first + length + 1].any() and steps.is_transition(first, first + length):
            cut[first + steps.pixels[inside].argmax()] = True


def _windows(values: np.ndarray, length: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values, length)


def _short(steps: Steps, length: int, rule: CutRule) -> np.ndarray:
    return np.asarray(steps.time_s[length:] - steps.time_s[:-length] <= rule.transition_s)


def _strength(change: np.ndarray, least: float, rule: CutRule) -> np.ndarray:
    """Returns change relative to the threshold of a cut, which rises where even the quietest steps of the window change
    much.
    """
    if not len(change):
        return change
    around = np.pad(change, rule.noise_window, mode="reflect" if len(change) > rule.noise_window else "edge")
    parts = chunks(_windows(around, 2 * rule.noise_window + 1))
    quiet = np.concatenate([np.quantile(part, 0.1, axis=1) for part in parts])
    # A change of twice the minimum counts as a cut in any film.
    return change / np.clip(rule.noise_factor * quiet, least, 2 * least)


def _is_mixture(frame: np.ndarray, start: np.ndarray, end: np.ndarray) -> bool:
    """Returns whether a frame is a mixture of two others, black and white; the residual may be a quarter of its
    distance from them.
    """
    apart = min(np.abs(frame - start).mean(), np.abs(frame - end).mean())
    if apart < max(_FLAT, np.abs(end - start).mean() / (_LONGEST + 1)):
        return False  # it is equal to one of them
    parts, rest = [start, end, _WHITE], np.abs(frame).mean()  # the residual of black alone
    for some in _SUBSETS:
        basis = np.stack([parts[i] for i in some], axis=1)
        shares = np.linalg.lstsq(basis, frame, rcond=None)[0]
        if shares.min() >= 0 and shares.sum() <= 1.05:
            rest = min(rest, np.abs(frame - basis @ shares).mean())
    return bool(rest <= max(_FLAT / 2, apart / 4))


def _layout(ycc: np.ndarray) -> np.ndarray:
    """Returns the spatial distribution of brightness, float32 [n, GRID * GRID], of unit length unless it is uniform."""
    luma = _grid(ycc, GRID)[..., 0].reshape(len(ycc), -1).astype(np.float32)
    luma -= luma.mean(axis=1, keepdims=True)
    return np.asarray(luma / (np.linalg.norm(luma, axis=1, keepdims=True) + _FLAT * GRID))


def _histograms(ycc: np.ndarray) -> np.ndarray:
    """Counts pixels by colour in the quarters of the frame and the three planes, uint16 [n, 4 * 3 * _BINS]."""
    half, count = SIDE // 2, len(ycc)
    places = np.arange(count * 4 * 3, dtype=np.int32).reshape(count, 2, 1, 2, 1, 3)
    bins = places * _BINS + (ycc // (256 // _BINS)).reshape(count, 2, half, 2, half, 3)
    return np.bincount(bins.ravel(), minlength=places.size * _BINS).reshape(count, -1).astype(np.uint16)


def _grid(ycc: np.ndarray, side: int) -> np.ndarray:
    """Gives the means of cells, uint8 [n, side, side, 3]."""
    cell = SIDE // side
    means = ycc.reshape(len(ycc), side, cell, side, cell, 3).mean(axis=(2, 4), dtype=np.float32)
    return np.asarray(np.rint(means), np.uint8)


def _apart(values: np.ndarray, steps: int) -> np.ndarray:
    """Returns the absolute difference of unsigned values and those the given number of steps later."""
    return np.asarray(np.maximum(values[steps:], values[:-steps]) - np.minimum(values[steps:], values[:-steps]))
