"""Clip merging and dropout as loops straight from the formulas: slow, and easy to check by eye. float64, one sequence.

The kernels are tested against these, and clip merging is timed against `merge_clip`.
"""

import math

import numpy as np

from model.ops.naive import softmax

_Part = tuple[np.ndarray, int, list[int]]


def merge_clip(x: np.ndarray, heads: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merges `[T, C]` to `[target, C]`; gives sizes too, and for each input token the output token that it is in."""
    tokens: list[_Part] = [(np.asarray(token, dtype=np.float64), 1, [i]) for i, token in enumerate(x)]
    while len(tokens) > target:
        r = min(len(tokens) - target, len(tokens) // 2)
        metric = [token.reshape(heads, -1).mean(0) for token, _, _ in tokens]
        unit = np.stack([vector / math.sqrt(vector @ vector) for vector in metric])
        a, b = range(0, len(tokens), 2), range(1, len(tokens), 2)
        match = {}
        for i in a:
            similarity = unit[1::2] @ unit[i]
            best = int(np.argmax(similarity))
            match[i] = (similarity[best], b[best])
        order = sorted(a, key=lambda i: (-match[i][0], i))
        merged = {j: [tokens[j]] for j in b}
        for i in order[:r]:
            merged[match[i][1]].append(tokens[i])
        tokens = [tokens[i] for i in order[r:]] + [_mean(merged[j]) for j in b]
    sources = np.zeros(len(x), dtype=np.int64)
    for place, (_, _, patches) in enumerate(tokens):
        sources[patches] = place
    return np.stack([t for t, _, _ in tokens]), np.array([s for _, s, _ in tokens]), sources


def _mean(parts: list[_Part]) -> _Part:
    size = sum(s for _, s, _ in parts)
    total = np.sum([t * s for t, s, _ in parts], axis=0)
    return total / size, size, [p for _, _, patches in parts for p in patches]


def uniform_positions(n: int, keep: int) -> list[int]:
    """Gives `floor(linspace(0, n - 1, keep))`, in whole numbers."""
    if keep >= n:
        return list(range(n))
    return [0] if keep == 1 else sorted({i * (n - 1) // (keep - 1) for i in range(keep)})


def attention_scores(queries: np.ndarray, keys: np.ndarray, visual: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Averages the causal softmax over query positions and heads, and takes the visual tokens' part of it.

    Args:
        queries: `[L, H, d]`.
        keys: `[L, G, d]`.
        visual: `[L]` bool, where a visual token is.
        query: `[L]` bool, the query positions.
    """
    heads, groups = queries.shape[1], keys.shape[1]
    total = np.zeros(len(visual))
    for position in np.flatnonzero(query):
        for head in range(heads):
            group = head // (heads // groups)
            logits = [queries[position, head] @ keys[j, group] for j in range(position + 1)]
            total[: position + 1] += softmax(np.array(logits) / math.sqrt(queries.shape[2])) / heads
    return np.where(visual, total, 0.0) / max(1, int(np.sum(query)))
