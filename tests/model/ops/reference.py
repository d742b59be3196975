"""Every kernel again, written as loops straight from the formulas: slow, and easy to check by eye. numpy, float64."""

import math

import numpy as np


def cosine(a, b) -> float:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(a @ b / (math.sqrt(a @ a) * math.sqrt(b @ b)))


def keyframes_paper(frames, query, k: int, tau: float) -> list[int]:
    """ViLaMP: visit frames by descending relevance; take one while fewer than k are and it is unlike all taken."""
    relevance = [cosine(frame, query) for frame in frames]
    picks: list[int] = []
    for n in sorted(range(len(frames)), key=lambda n: (-relevance[n], n)):
        if len(picks) < k and all(cosine(frames[n], frames[s]) < tau for s in picks):
            picks.append(n)
    return sorted(picks)


def keyframes_released(frames, query, k: int, tau: float, floor: float) -> list[int]:
    """The released code of ViLaMP: a relevance floor, an inclusive threshold, and gaps filled to min(k, N) frames."""
    relevance = [cosine(frame, query) for frame in frames]
    picks: list[int] = []
    for n in sorted(range(len(frames)), key=lambda n: (-relevance[n], n)):
        if len(picks) == k or relevance[n] < floor:
            break
        if all(cosine(frames[n], frames[s]) <= tau for s in picks):
            picks.append(n)
    return fill_gaps(picks, k, len(frames))


def fill_gaps(picks, k: int, num_frames: int) -> list[int]:
    taken = set(picks)
    gaps, start = [], 0
    for pick in [*sorted(picks), num_frames]:
        if pick > start:
            gaps.append((start, pick - start))
        start = pick + 1
    free = min(k, num_frames) - len(taken)

    def counts(spacing):
        return [math.ceil(length / spacing) - 1 for _, length in gaps]

    spacing = next((d for d in range(1, num_frames + 1) if sum(counts(d)) <= free), num_frames)
    for (start, length), count in zip(gaps, counts(spacing), strict=True):
        step = math.ceil(length / (count + 1))
        for i in range(count):
            taken.add(min(start + step * (i + 1), start + length - 1))
    for start, length in reversed(gaps):
        for n in range(start + length - 1, start - 1, -1):
            if n not in taken and len(taken) < min(k, num_frames):
                taken.add(n)
    return sorted(taken)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def merge_paper(features, joint, query, keyframes, alpha: float, lam: float):
    """DFM: one token a frame, `[N, C]`; every frame against the nearest keyframe strictly before it."""
    tokens = []
    for n in range(len(features)):
        before = [s for s in keyframes if 0 <= s < n]
        score = np.array([cosine(patch, query) for patch in joint[n]])
        if before:
            score -= lam * np.array([cosine(a, b) for a, b in zip(joint[n], joint[max(before)], strict=True)])
        tokens.append(softmax(score / alpha) @ np.asarray(features[n], dtype=np.float64))
    return np.stack(tokens) if tokens else np.zeros((0, features.shape[2]))


def merge_clip(x, heads: int, target: int):
    """HiCo: `[T, C]` to `[target, C]`; also sizes, and for each input token the output token it is in."""
    tokens = [(np.asarray(token, dtype=np.float64), 1, [i]) for i, token in enumerate(x)]
    while len(tokens) > target:
        r = min(len(tokens) - target, len(tokens) // 2)
        metric = [token.reshape(heads, -1).mean(0) for token, _, _ in tokens]
        a, b = range(0, len(tokens), 2), range(1, len(tokens), 2)
        match = {}
        for i in a:
            similarity = [cosine(metric[i], metric[j]) for j in b]
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


def _mean(parts):
    size = sum(s for _, s, _ in parts)
    return sum(t * s for t, s, _ in parts) / size, size, [p for _, _, patches in parts for p in patches]


def uniform_positions(n: int, keep: int) -> list[int]:
    """floor(linspace(0, n - 1, keep)), in whole numbers."""
    if keep >= n:
        return list(range(n))
    return [0] if keep == 1 else sorted({i * (n - 1) // (keep - 1) for i in range(keep)})


def attention_scores(queries, keys, visual, asked_by):
    """`[L, H, d]`, `[L, G, d]`, `[L]` bool each: mean over query positions and heads of the causal softmax, of which
    the visual tokens' part is taken."""
    heads, groups = queries.shape[1], keys.shape[1]
    total = np.zeros(len(visual))
    for position in np.flatnonzero(asked_by):
        for head in range(heads):
            group = head // (heads // groups)
            logits = [queries[position, head] @ keys[j, group] for j in range(position + 1)]
            total[: position + 1] += softmax(np.array(logits) / math.sqrt(queries.shape[2])) / heads
    return np.where(visual, total, 0.0) / max(1, int(np.sum(asked_by)))


def merge_released(x, text, keyframes, maps, temperature: float):
    """DFM as the released code does it, with the correct reference: `maps` are (W, b) of text, patch_to_text,
    reference and patch_to_reference. `[N, H]`."""
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


def keyframes_recurrent(frames, query, k: int, tau: float, dip: float) -> list[int]:
    """As `keyframes_paper`, but a frame like a pick is taken where relevance falls far enough between the two."""
    relevance = [cosine(frame, query) for frame in frames]
    flicker = sorted(abs(b - a) for a, b in zip(relevance[:-1], relevance[1:], strict=True))
    contrast = max(relevance) - sorted(relevance)[(len(relevance) - 1) // 2]
    fall = max(dip * contrast, 6 * flicker[(len(flicker) - 1) // 2])
    picks: list[int] = []

    def told(n, s):
        valley = min(relevance[min(n, s) : max(n, s) + 1])
        return cosine(frames[n], frames[s]) >= tau and valley > relevance[n] - fall

    for n in sorted(range(len(frames)), key=lambda n: (-relevance[n], n)):
        if len(picks) < k and not any(told(n, s) for s in picks):
            picks.append(n)
    return sorted(picks)


def keep_tokens(tokens, tolerance: float) -> list[bool]:
    """Which of one query's tokens are kept: those further from the last kept than the tolerance allows."""
    kept, last = [], None
    for token in tokens:
        far = last is None or np.linalg.norm(token - last) > tolerance * np.linalg.norm(token)
        kept.append(bool(far))
        last = token if far else last
    return kept


def merge_temporal_clusters(tokens, budget: int) -> list[list[int]]:
    """Runs of frames: the neighbours whose join adds least squared error are joined, until the budget is met."""
    runs = [[n] for n in range(len(tokens))]

    def error(run):
        return float(((tokens[run] - tokens[run].mean(axis=0)) ** 2).sum())

    while len(runs) > max(1, budget):
        added = [error(a + b) - error(a) - error(b) for a, b in zip(runs[:-1], runs[1:], strict=True)]
        i = int(np.argmin(added))
        runs[i : i + 2] = [runs[i] + runs[i + 1]]
    return runs
