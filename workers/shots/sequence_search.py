"""Finds parts of known videos in others, even clips of half a minute that are sampled at another phase.

A window of a known video matches where its changes correlate with those of the same number of seconds of the other
video. Both are centred per window, so a clip can be found without the rest of its video. Windows that match at about
the same offset make a copy if they cover enough (a cut between two places that other videos show as well is in few of
them) and look similar: figures may move in the same way before other scenes.

A video without enough windows, since it is short or static, is found by its frames: each must be similar to that of the
other video, and both must change in the same way or not at all.

Shapes: W windows, S seconds of a window, M seconds of a video, D numbers of a descriptor (`near_duplicates.describe`).
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from workers.shots.sequence_windows import LEAST_WINDOWS, WINDOW_S, Look, Windows, covered, shows

COVERED_S = 24
"""Seconds that matching windows must cover, or four fifths of the seconds that change where these are fewer."""
_SLACK_S = 2
_BLOCK = 256  # windows that are compared at once
# Mean cosine of windows that match: that of copies is above 0.7; of one motion before two scenes, up to 0.51.
_LOOKS_SIMILAR = 0.6
_SIMILAR = 0.8  # mean cosine of the frames of a short video that changes; its changes must agree as well


@dataclass(frozen=True)
class Found:
    """Names a known video of which a part was found."""

    owner: int
    similarity: float
    """Mean correlation of the matching windows."""
    seconds: int
    """Number of seconds covered by the matching windows."""
    offset_s: float
    """Second t of the known video corresponds to second t + offset_s of the other one."""


def search(windows: Windows, video_MD: np.ndarray, *, agree: float, still_agree: float = 0.97) -> list[Found]:
    """Finds the known videos of which a video contains parts; returns the most similar first.

    Args:
        windows: windows of the known videos.
        video_MD: descriptors, one per second.
        agree: correlation of changes that counts as found, in windows that cover COVERED_S at offsets that differ by at
            most _SLACK_S.
        still_agree: cosine of frames that counts as found where nothing changes.
    """
    found = _search_changes(windows, video_MD, agree)
    found += _search_looks(windows, video_MD, agree, still_agree)
    best: dict[int, Found] = {}
    for each in sorted(found, key=lambda f: (-f.similarity, f.owner)):
        best.setdefault(each.owner, each)
    return [*best.values()]


def _search_changes(windows: Windows, video_MD: np.ndarray, agree: float) -> list[Found]:
    if len(video_MD) < WINDOW_S or not len(windows.owner_W):
        return []
    scores, at = _best(windows.centred_WSD, video_MD.astype(np.float32))
    hit = np.flatnonzero(scores >= agree)
    found = []
    for owner in np.unique(windows.owner_W[hit]):
        own = hit[windows.owner_W[hit] == owner]
        offsets = at[own] - windows.start_W[own]
        # The offset shared by most windows.
        near = np.abs(offsets[:, None] - offsets[None]) <= _SLACK_S
        members = own[near[int(near.sum(axis=1).argmax())]]
        seconds = covered(windows.start_W[members])
        is_long = len(members) >= LEAST_WINDOWS and seconds >= min(COVERED_S, 0.8 * windows.changing_O[owner])
        if is_long and _mean_cosine(windows.mean_WD[members], video_MD, at[members]) >= _LOOKS_SIMILAR:
            offset = float(np.median(at[members] - windows.start_W[members]))
            found.append(Found(int(owner), round(float(scores[members].mean()), 4), seconds, offset))
    return found


def _mean_cosine(mean_WD: np.ndarray, video_MD: np.ndarray, at_W: np.ndarray) -> float:
    """Returns how similar windows look to those of a video that start at `at_W`, whatever changes in them."""
    seconds = video_MD[at_W[:, None] + np.arange(WINDOW_S)].mean(axis=1)
    norms = np.linalg.norm(mean_WD, axis=1) * np.linalg.norm(seconds, axis=1)
    return float(np.mean(np.einsum("wd,wd->w", mean_WD, seconds) / np.maximum(norms, 1e-6)))


def _search_looks(windows: Windows, video_MD: np.ndarray, agree: float, still_agree: float) -> list[Found]:
    hits: dict[int, list[tuple[Look, float, int]]] = defaultdict(list)
    for look in windows.looks:
        if len(video_MD) >= len(look.seconds_SD):
            cosine, correlation, is_still = _compare_look(look.seconds_SD, video_MD.astype(np.float32), windows.still)
            is_hit = np.where(is_still, cosine >= still_agree, (cosine >= _SIMILAR) & (correlation >= agree))
            if is_hit.any():
                at = int(np.where(is_hit, cosine, -1).argmax())
                hits[look.owner].append((look, float(cosine[at]), at))
    return [
        Found(
            owner,
            round(float(np.mean([cosine for _, cosine, _ in found])), 4),
            sum(len(look.seconds_SD) for look, _, _ in found),
            float(np.median([at - look.start for look, _, at in found])),
        )
        for owner, found in hits.items()
        if len(found) >= found[0][0].needed
    ]


def _compare_look(look_SD: np.ndarray, video_MD: np.ndarray, still: float) -> tuple[np.ndarray, ...]:
    """At each second of a video: mean cosine with the window, correlation of changes, and whether both stand still."""
    length, shown = len(look_SD), shows(look_SD)
    places = len(video_MD) - length + 1
    centred = look_SD - look_SD.mean(axis=0)
    look_energy, energy = float(np.square(centred).sum()), _energy(video_MD, length)
    units = video_MD / np.linalg.norm(video_MD, axis=1, keepdims=True)
    cosines = (look_SD / np.linalg.norm(look_SD, axis=1, keepdims=True)) @ units.T
    cosine = np.mean([cosines[s, s : s + places] for s in np.flatnonzero(shown)], axis=0)
    products = centred @ video_MD.T
    total = np.sum([products[s, s : s + places] for s in range(length)], axis=0)
    correlation = total / np.sqrt(np.maximum(look_energy * energy, 1e-6))
    return cosine, correlation, (look_energy < still * length) & (energy < still * length)


def _energy(video_MD: np.ndarray, length: int) -> np.ndarray:
    """Returns the sum of the squared changes of each window of a video."""
    sums = np.concatenate([np.zeros((1, video_MD.shape[1])), np.cumsum(video_MD, axis=0, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(video_MD).sum(axis=1, dtype=np.float64))])
    means = (sums[length:] - sums[:-length]) / length
    return np.asarray(squares[length:] - squares[:-length] - length * np.square(means).sum(axis=1))


def _best(centred_WSD: np.ndarray, video_MD: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the highest correlation of each window, and the second of the video at which it occurs."""
    places = len(video_MD) - WINDOW_S + 1
    energy = _energy(video_MD, WINDOW_S)
    scores, at = np.zeros(len(centred_WSD)), np.zeros(len(centred_WSD), int)
    for start in range(0, len(centred_WSD), _BLOCK):
        block = centred_WSD[start : start + _BLOCK]
        products = block.reshape(-1, block.shape[2]) @ video_MD.T
        by_second = products.reshape(len(block), WINDOW_S, -1)
        # A centred window sums to zero, so the mean of the other side need not be subtracted.
        total = sum(by_second[:, s, s : s + places] for s in range(WINDOW_S))
        correlation = total / np.sqrt(np.maximum(energy, 1e-6))
        at[start : start + _BLOCK] = correlation.argmax(axis=1)
        scores[start : start + _BLOCK] = correlation.max(axis=1)
    return scores, at
