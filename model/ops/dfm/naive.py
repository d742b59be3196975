"""Feature merging as loops straight from the formulas: slow, and easy to check by eye. float64, one query.

The kernels are tested against these. Shapes: N frames, M patches, C feature width, D joint width, H width of projected
features, T text width.
"""

import itertools

import numpy as np

from model.ops.naive import cosine, softmax


def merge_paper(
    features: np.ndarray, joint: np.ndarray, query: np.ndarray, keyframes: list[int], alpha: float, lam: float
) -> np.ndarray:
    """Merges `[N, M, C]` to one token per frame, `[N, C]`, against the nearest keyframe strictly before it."""
    tokens = []
    for n in range(len(features)):
        before = [s for s in keyframes if 0 <= s < n]
        score = np.array([cosine(patch, query) for patch in joint[n]])
        if before:
            score -= lam * np.array([cosine(a, b) for a, b in zip(joint[n], joint[max(before)], strict=True)])
        tokens.append(softmax(score / alpha) @ np.asarray(features[n], dtype=np.float64))
    return np.stack(tokens) if tokens else np.zeros((0, features.shape[2]))


def merge_released(
    x: np.ndarray,
    text: np.ndarray,
    keyframes: list[int],
    maps: list[tuple[np.ndarray, np.ndarray]],
    temperature: float,
) -> np.ndarray:
    """Merges `[N, M, H]` to `[N, H]` as the released code does it, with the correct reference.

    `maps` are (W, b) of text, patch_to_text, reference and patch_to_reference.
    """
    (wq, bq), (wiq, biq), (wk, bk), (wik, bik) = maps
    tokens = []
    for n, frame in enumerate(x):
        before = [s for s in keyframes if 0 <= s < n]
        reference = x[max(before)] if before else frame
        score = [
            cosine(wq @ text + bq, wiq @ patch + biq) - cosine(wk @ other + bk, wik @ patch + bik)
            for patch, other in zip(frame, reference, strict=True)
        ]
        tokens.append(softmax(np.array(score) / temperature) @ frame)
    return np.stack(tokens)


def keep_tokens(tokens: np.ndarray, tolerance: float) -> list[bool]:
    """Keeps those of `[N, C]` tokens that are further from the last one kept than the tolerance allows."""
    kept: list[bool] = []
    last = None
    for token in tokens:
        far = last is None or np.linalg.norm(token - last) > tolerance * np.linalg.norm(token)
        kept.append(bool(far))
        last = token if far else last
    return kept


def merge_temporal_clusters(tokens: np.ndarray, budget: int) -> list[list[int]]:
    """Joins the neighbouring clusters of frames whose join adds least squared error, until the budget is met."""
    clusters = [[n] for n in range(len(tokens))]

    def error(cluster: list[int]) -> float:
        return float(((tokens[cluster] - tokens[cluster].mean(axis=0)) ** 2).sum())

    while len(clusters) > max(1, budget):
        added = [error(a + b) - error(a) - error(b) for a, b in itertools.pairwise(clusters)]
        i = int(np.argmin(added))
        clusters[i : i + 2] = [clusters[i] + clusters[i + 1]]
    return clusters
