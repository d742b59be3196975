"""The greedy selection as a CPU likes it: visit few frames, and compare them in bulk.

A query visits its frames in order, a block at a time: the block is compared with the picks so far, and what survives
with itself. Most queries have their K picks after a few hundred frames. The others (a video of few scenes yields fewer
than K picks, so all its frames are visited) go on together: the latest picks of all queries are compared with all
frames in one matrix product, each query crosses out what is like its own, and goes on with the head of what remains.

Shapes: N frames, Q queries, D width, K keyframes.
"""

import torch
from torch import Tensor

from model.ops.likeness import Likeness

FIRST_BLOCK, LAST_BLOCK = 64, 512
"""Frames visited at once: few at first, as most are picked; more later, as most are alike."""
VISITED_ALONE = 1024
"""Frames that a query visits by itself before it joins the others."""
COLUMNS = 64
"""Picks compared with all frames at once: bounds the memory."""


def pick_lazily(likeness: Likeness, relevance_QN: Tensor, k: int, *, floor: float) -> Tensor:
    """Greedy picks of each query, `[Q, K]` int64 in the order of picking, padded with -1.

    Args:
        likeness: which frames exclude one another.
        relevance_QN: float64; of equal values the lowest index is visited first.
        k: most picks a query.
        floor: frames of lower relevance are not visited (-inf: all are).
    """
    visits = [_Visit(likeness, k) for _ in relevance_QN]
    unfinished = []
    for visit, relevance_N in zip(visits, relevance_QN, strict=True):
        first = _order(relevance_N, VISITED_ALONE, floor)
        visit.alone(first)
        if not visit.full and len(first) < len(relevance_N):
            visit.rest = _order(relevance_N, len(relevance_N), floor)[len(first) :]
            unfinished += [visit] * (len(visit.rest) > 0)
    _together(likeness, unfinished)
    picks_QK = torch.full((len(visits), k), -1, dtype=torch.int64)
    for row, visit in enumerate(visits):
        picks_QK[row, : len(visit.picks)] = torch.tensor(visit.picks, dtype=torch.int64)
    return picks_QK


def _order(relevance_N: Tensor, most: int, floor: float) -> Tensor:
    """Frames by descending relevance, equal ones by index: the first `most`, and what equals the last of them."""
    if most < len(relevance_N):
        candidates = (relevance_N >= relevance_N.topk(most).values[-1]).nonzero().squeeze(1)
    else:
        candidates = torch.arange(len(relevance_N))
    relevance, order = relevance_N[candidates].sort(descending=True, stable=True)
    return candidates[order[relevance >= floor]]


class _Visit:
    """One query's way through the frames: its `picks`, and once it goes on with others the `rest` of its order."""

    def __init__(self, likeness: Likeness, k: int) -> None:
        self.likeness, self.k = likeness, k
        self.picks: list[int] = []
        self.rest = torch.empty(0, dtype=torch.int64)

    @property
    def full(self) -> bool:
        return len(self.picks) == self.k

    def alone(self, order: Tensor) -> None:
        """Visits frames in this order, each compared with the picks so far when its block comes up."""
        picked_rows: list[Tensor] = []
        start, size = 0, FIRST_BLOCK
        while start < len(order) and not self.full:
            block = order[start : start + size]
            rows = self.likeness.rows(block)
            if self.picks:
                alike = self.likeness.between(block, rows, torch.tensor(self.picks), torch.cat(picked_rows))
                free = ~alike.any(dim=1)
                block, rows = block[free], rows[free]
            picked_rows.append(rows[self.take(block, rows)])
            start, size = start + size, min(2 * size, LAST_BLOCK)

    def take(self, head: Tensor, rows: Tensor) -> list[int]:
        """Picks greedily from frames that are like no pick so far; returns the places of the new picks in `head`."""
        alike = self.likeness.between(head, rows, head, rows).numpy()
        free, new = [True] * len(head), []
        for place, frame in enumerate(head.tolist()):
            if free[place]:
                new.append(place)
                self.picks.append(frame)
                if self.full:
                    break
                for other in alike[place].nonzero()[0]:
                    free[other] = False
        return new


def _together(likeness: Likeness, visits: list[_Visit]) -> None:
    """Finishes the visits: crosses out of each rest what is like the newest picks, and picks from the head of it."""
    newest = {visit: visit.picks for visit in visits}
    while newest:
        dead = _like_any(likeness, list(newest.values()))
        going_on = {}
        for visit, dead_N in zip(newest, dead, strict=True):
            rest = visit.rest[~dead_N[visit.rest]]
            head, visit.rest = rest[:FIRST_BLOCK], rest[FIRST_BLOCK:]
            new = visit.take(head, likeness.rows(head))
            if len(visit.rest) and not visit.full:
                going_on[visit] = head[new].tolist()
        newest = going_on


def _like_any(likeness: Likeness, picks: list[list[int]]) -> Tensor:
    """For each list of picks the frames like one of them, `[lists, N]` bool; a shared pick is compared once."""
    dead = torch.zeros(len(picks), len(likeness.vectors), dtype=torch.bool)
    for columns in torch.tensor(sorted(set().union(*picks))).split(COLUMNS):
        alike, place = likeness.to_all(columns), {frame: i for i, frame in enumerate(columns.tolist())}
        for row, frames in enumerate(picks):
            own = [place[frame] for frame in frames if frame in place]
            if own:
                dead[row] |= alike[own].any(dim=0)
    return dead
