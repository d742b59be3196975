"""Where a video's shots change, from thumbnails and embeddings of its frames.

At about a frame a second two pictures of one shot may share little: a measure of change must forgive what moves. This
one is the geometric mean of what changed place (correlation of the layout, whatever its brightness and contrast) and
what changed colour (histograms of the four quarters): motion moves the first, light the second, a cut both. The
embedding has a say where the pixels alone leave it open.

A frame in the middle of a dissolve or fade, or in a flash, is a mixture of the frames around it, black and white; a
shot of one frame is not. So a transition is one boundary, and a flash none.

Shapes: N frames; N - 1 steps, step i from frame i to frame i + 1.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workers.shots.thumbnails import GRID, SIDE, Thumbnails, chunks

_BINS = 8
_FINE, _SAME = 16, 8  # rows and columns, and levels of 255, by which a part of the picture is told to stay
_FLAT = 2.0  # luma levels of noise: below that a layout says nothing
_LONGEST = 4  # steps of a transition, whatever its seconds
_SUBSETS = [some for size in (1, 2, 3) for some in combinations(range(3), size)]
_BLACK = np.array([0, 128, 128], np.float32)
_WHITE = np.tile(np.array([255, 0, 0], np.float32), GRID * GRID)


@dataclass(frozen=True, kw_only=True)
class CutRule:
    """When a step is a cut."""

    pixel_change: float
    embedding_change: float
    """1 - cosine."""
    noise_factor: float
    """A change must be this many times what the quietest steps around it have."""
    noise_window: int
    """How many steps before and behind are around."""
    embedding_assist_ratio: float
    """Of the pixel change needed, the share that is enough where the embedding changes too."""
    static_ratio: float
    """Where more of the picture than this stays as it is, something was laid over it, and nothing cut."""
    transition_s: float
    """The longest dissolve, fade or flash."""


class Steps:
    """How the frames of a video differ.

    Args:
        frames: N of them.
        embeddings_ND: L2-normalised.
    """

    pixels: np.ndarray
    """[N - 1], 0 to about 1"""
    embedding: np.ndarray
    """[N - 1], 1 - cosine"""
    luma: np.ndarray
    """[N - 1], mean absolute change of a thumbnail's cell, in levels of 255."""

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
        """[N - steps]: the change of pixels over so many steps."""
        # Opposed layouts are no further apart than unlike ones.
        moved = np.clip(1 - np.einsum("nd,nd->n", self._layout_ND[steps:], self._layout_ND[:-steps]), 0, 1)
        coloured = _apart(self._histograms_NB, steps).sum(axis=1) / (2 * 3 * SIDE * SIDE)
        return np.sqrt(moved * coloured)

    def kept(self, steps: int) -> np.ndarray:
        """[N - steps]: the share of the picture whose colour is the same so many steps later."""
        return (_apart(self._fine_N, steps).max(axis=3) <= _SAME).mean(axis=(1, 2))

    def is_transition(self, first: int, last: int) -> bool:
        """Whether a few frames lie between two, each on the way: made of the two, black and white."""
        if last - first > _LONGEST:
            return False
        fine = self._fine_N[first : last + 1]
        colours = fine.reshape(len(fine), GRID, _FINE // GRID, GRID, _FINE // GRID, 3).mean(axis=(2, 4)) - _BLACK
        start, *between, end = colours.reshape(len(fine), -1)
        return all(_is_mixture(colour, start, end) for colour in between)


def find_cuts(steps: Steps, rule: CutRule) -> np.ndarray:
    """int64 [cuts], ascending: the steps that lead from one shot to the next."""
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
    """For each cut which of `pixels` and `embedding` would show it alone."""
    found = {
        "pixels": _strength(steps.pixels, rule.pixel_change, rule) >= 1,
        "embedding": _strength(steps.embedding, rule.embedding_change, rule) >= 1,
    }
    return [[name for name, shows in found.items() if shows[cut]] for cut in cuts]


def _join(cut: np.ndarray, steps: Steps, length: int, rule: CutRule) -> None:
    """Makes `length` cuts in a row that are one transition one cut, or none where it leads back to where it began."""
    apart = steps.change(length) >= rule.pixel_change
    for first in np.flatnonzero(_windows(cut, length).all(axis=1) & _short(steps, length, rule)).tolist():
        inside = slice(first, first + length)
        if cut[inside].all() and steps.is_transition(first, first + length):
            cut[inside] = False
            cut[first + steps.pixels[inside].argmax()] = apart[first]


def _add_slow(cut: np.ndarray, steps: Steps, length: int, rule: CutRule) -> None:
    """Adds transitions over `length` steps of which none, nor the one before or behind, is a cut by itself."""
    apart = _strength(steps.change(length), rule.pixel_change, rule) >= 1
    apart &= (steps.kept(length) <= rule.static_ratio) & _short(steps, length, rule)
    for first in np.flatnonzero(apart).tolist():
        inside = slice(first, first + length)
        if not cut[max(0, first - 1) : first + length + 1].any() and steps.is_transition(first, first + length):
            cut[first + steps.pixels[inside].argmax()] = True


def _windows(values: np.ndarray, length: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values, length)


def _short(steps: Steps, length: int, rule: CutRule) -> np.ndarray:
    return steps.time_s[length:] - steps.time_s[:-length] <= rule.transition_s


def _strength(change: np.ndarray, least: float, rule: CutRule) -> np.ndarray:
    """Change against what a cut needs: a fixed least, or more where even the quietest steps around change much."""
    if not len(change):
        return change
    around = np.pad(change, rule.noise_window, mode="reflect" if len(change) > rule.noise_window else "edge")
    parts = chunks(_windows(around, 2 * rule.noise_window + 1))
    quiet = np.concatenate([np.quantile(part, 0.1, axis=1) for part in parts])
    # A change twice the least is one in any film.
    return change / np.clip(rule.noise_factor * quiet, least, 2 * least)


def _is_mixture(frame: np.ndarray, start: np.ndarray, end: np.ndarray) -> bool:
    """Whether a frame is made of two others, black and white, but for a quarter of what tells it from them."""
    apart = min(np.abs(frame - start).mean(), np.abs(frame - end).mean())
    if apart < max(_FLAT, np.abs(end - start).mean() / (_LONGEST + 1)):
        return False  # as good as one of them
    parts, rest = [start, end, _WHITE], np.abs(frame).mean()  # of nothing but black
    for some in _SUBSETS:
        basis = np.stack([parts[i] for i in some], axis=1)
        shares = np.linalg.lstsq(basis, frame, rcond=None)[0]
        if shares.min() >= 0 and shares.sum() <= 1.05:
            rest = min(rest, np.abs(frame - basis @ shares).mean())
    return bool(rest <= max(_FLAT / 2, apart / 4))


def _layout(ycc: np.ndarray) -> np.ndarray:
    """float32 [n, GRID * GRID]: what is light and dark where, of length one but for flat pictures."""
    luma = _grid(ycc, GRID)[..., 0].reshape(len(ycc), -1).astype(np.float32)
    luma -= luma.mean(axis=1, keepdims=True)
    return luma / (np.linalg.norm(luma, axis=1, keepdims=True) + _FLAT * GRID)


def _histograms(ycc: np.ndarray) -> np.ndarray:
    """uint16 [n, 4 * 3 * _BINS]: pixels by colour, in the quarters of the frame and the three planes."""
    half, count = SIDE // 2, len(ycc)
    places = np.arange(count * 4 * 3, dtype=np.int32).reshape(count, 2, 1, 2, 1, 3)
    bins = places * _BINS + (ycc // (256 // _BINS)).reshape(count, 2, half, 2, half, 3)
    return np.bincount(bins.ravel(), minlength=places.size * _BINS).reshape(count, -1).astype(np.uint16)


def _grid(ycc: np.ndarray, side: int) -> np.ndarray:
    """Gives the means of cells, uint8 [n, side, side, 3]."""
    cell = SIDE // side
    means = ycc.reshape(len(ycc), side, cell, side, cell, 3).mean(axis=(2, 4), dtype=np.float32)
    return np.rint(means).astype(np.uint8)


def _apart(values: np.ndarray, steps: int) -> np.ndarray:
    """How far unsigned numbers are from those so many steps later."""
    return np.maximum(values[steps:], values[:-steps]) - np.minimum(values[steps:], values[:-steps])
