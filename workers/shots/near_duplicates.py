"""Decides whether one video is a copy of another, and computes keys by which copies are found among many videos.

A frame is described by its embedding and its layout (see `thumbnails.py`), with equal weight. The embedding tolerates
crops and captions; the layout distinguishes what a tower finds similar. Only CHANGES of these are compared: two videos
of one studio or camera look similar, but do not change in the same way at a constant offset.

Keys are sign bits of random projections (Charikar, STOC 2002): the more similar two pieces, the likelier a common key.

Shapes: N and M seconds of two videos, P pieces, D numbers per descriptor.
"""

from dataclasses import dataclass

import numpy as np

from workers.shots.thumbnails import chunks

_FLAT = 2.0  # luma levels of noise: a layout with less says nothing
_SEED = 20
_PIECE_S = 10.0


@dataclass(frozen=True)
class Match:
    """Tells how well two videos match at their best offset."""

    offset_s: float
    """Second t of the first video corresponds to second t + offset_s of the second video."""
    agreement: float
    """Correlation of the changes in the overlap, -1 to 1; of the frames themselves if both videos are static."""
    seconds: int
    """Number of matching seconds in the overlap."""


def describe(layouts: np.ndarray, embeddings_ND: np.ndarray) -> np.ndarray:
    """Computes descriptors, float32 [N, D], with unit length except for frames of uniform brightness.

    Args:
        layouts: uint8 [N, rows, columns].
        embeddings_ND: L2-normalised embeddings.
    """
    flat = layouts.reshape(len(layouts), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + _FLAT * np.sqrt(flat.shape[1])
    return np.concatenate([embeddings_ND, flat], axis=1).astype(np.float32) / np.float32(np.sqrt(2))


def each_second(time_s: np.ndarray, end_s: float, shift_s: float = 0.0) -> np.ndarray:
    """Returns the frame displayed at each full second from `shift_s` after the first frame to the end, int64 [N]."""
    start_s = time_s[0] + shift_s
    seconds = start_s + np.arange(max(1, int(end_s - start_s)))
    return np.asarray(np.searchsorted(time_s, seconds + 1e-3, side="right") - 1)


def motion(descriptors_ND: np.ndarray) -> float:
    """Returns how much a video changes: the variance of its descriptors, 0 to 1."""
    return float(np.square(descriptors_ND - descriptors_ND.mean(axis=0)).sum(axis=1).mean())


def match(
    first_ND: np.ndarray, second_MD: np.ndarray, *, centred: bool, least_s: int, window_s: int, agree: float
) -> Match:
    """Finds the offset at which two videos match best.

    Args:
        first_ND: descriptors of the first video, one per second.
        second_MD: descriptors of the second video, one per second.
        centred: whether to compare changes (descriptors minus their mean) instead of the descriptors themselves.
        least_s: minimum overlap in seconds.
        window_s: window in seconds over which the match is evaluated locally.
        agree: minimum correlation of a match.
    """
    pair = [first_ND.astype(np.float64), second_MD.astype(np.float64)]
    if centred:
        pair = [values - values.mean(axis=0) for values in pair]
    offsets, agreement = _correlate(pair[0], pair[1], least_s)
    if not len(offsets):
        return Match(0.0, 0.0, 0)
    best = int(agreement.argmax())
    offset = int(offsets[best])
    start, end = max(0, -offset), min(len(first_ND), len(second_MD) - offset)
    first, second = pair[0][start:end], pair[1][start + offset : end + offset]
    window = np.ones(min(window_s, end - start))
    sums = [
        np.convolve(np.einsum("nd,nd->n", a, b), window, mode="same")
        for a, b in ((first, second), (first, first), (second, second))
    ]
    agreeing = sums[0] >= agree * np.sqrt(sums[1] * sums[2])
    return Match(float(offset), float(agreement[best]), int(agreeing.sum()))


def _correlate(first: np.ndarray, second: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the offsets with at least `least` seconds of overlap and the correlation at each, by FFT."""
    n, m = len(first), len(second)
    size = 1 << (n + m - 1).bit_length()
    products = np.zeros(size)
    for a, b in zip(first.T, second.T, strict=True):
        products += np.fft.irfft(np.fft.rfft(a, size).conj() * np.fft.rfft(b, size), size)
    offsets = np.arange(1 - n, m)
    start, end = np.maximum(0, -offsets), np.minimum(n, m - offsets)
    sums = [np.concatenate([[0.0], np.cumsum(np.square(values).sum(axis=1))]) for values in (first, second)]
    energy = (sums[0][end] - sums[0][start]) * (sums[1][end + offsets] - sums[1][start + offsets])
    enough = (end - start >= least) & (energy > 1e-12)
    return offsets[enough], products[offsets[enough] % size] / np.sqrt(energy[enough])


def pieces(starts: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Splits shots that start at `starts` into pieces of at most _PIECE_S seconds.

    Returns their first frames, int64 [P].
    """
    shot = np.searchsorted(starts, np.arange(len(time_s)), side="right") - 1
    piece = ((time_s - time_s[starts[shot]]) // _PIECE_S).astype(np.int64)
    new = np.diff(shot, prepend=-1).astype(bool) | np.diff(piece, prepend=-1).astype(bool)
    return np.flatnonzero(new)


def piece_keys(
    descriptors_ND: np.ndarray, piece_starts: np.ndarray, *, still: float, bits: int, tables: int
) -> np.ndarray:
    """Computes keys of the mean descriptors of pieces, int64 [P, tables]; -1 if a piece equals its whole video."""
    centre = descriptors_ND.mean(axis=0, dtype=np.float64)
    is_still = motion(descriptors_ND) < still
    sizes = np.diff([*piece_starts, len(descriptors_ND)])[:, None]
    means_PD = np.add.reduceat(descriptors_ND.astype(np.float64), piece_starts) / sizes - (0 if is_still else centre)
    planes = np.random.default_rng(_SEED).normal(size=(bits * tables, descriptors_ND.shape[1]))
    # einsum, not matmul: the same bits on any number of threads.
    signs = np.concatenate([np.einsum("pd,bd->pb", part, planes) > 0 for part in chunks(means_PD)])
    words = signs.reshape(-1, tables, bits).astype(np.int64) @ (1 << np.arange(bits, dtype=np.int64))
    # The table, and whether it is of a still, are part of a key.
    keys = words + ((np.arange(tables) * 2 + is_still) << bits)
    return np.where(np.square(means_PD).sum(axis=1, keepdims=True) > still / 4, keys, -1)


def bottom_k(keys: np.ndarray, count: int) -> np.ndarray:
    """Selects at most `count` distinct keys, those with the smallest hash.

    Equal sets of keys give equal selections.
    """
    known = np.unique(keys[keys >= 0])
    # A multiplicative hash: which are smallest by it has nothing to do with what they mean.
    mixed = (known.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(16)
    return np.isin(keys, known[np.argsort(mixed, kind="stable")[:count]])
