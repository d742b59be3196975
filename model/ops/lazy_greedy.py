"""The greedy selection as a CPU likes it: visit few frames, and compare them in bulk.

The queries visit their frames best first, all in step, a head of the order at a time: what of it survives the query's
picks so far is compared with itself. Most queries of a video in which few frames are alike have their K picks after a
few such blocks. The others first cross out of all frames what is like their picks (`model.ops.crossing_out`), and go on
with the head of what is left.

Shapes: N frames, Q queries, K keyframes, D width; of the queries that go on V, each with B frames in hand, S of which
survive.
"""

from itertools import chain, repeat

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from model.ops.crossing_out import cross_out
from model.ops.frame_runs import FrameRuns
from model.ops.likeness import Likeness
from model.ops.threads import over_threads

BLOCKS = (64, 128, 256, 512)
"""Frames visited at once: few at first, as most are picked; more later, as most are alike."""
HEAD = 48
"""Frames looked at after each crossing-out."""
QUERIES = 32
"""Queries in step at most, and ORDERED_ELEMENTS of their relevance ordered at once: these bound the memory."""
ORDERED_ELEMENTS = 2**20


def pick_lazily(likeness: Likeness, relevance_QN: Tensor, k: int, *, floor: float, threads: int = 1) -> Tensor:
    """Greedy picks of each query, `[Q, K]` int64 in the order of picking, padded with -1.

    Args:
        likeness: which frames exclude one another.
        relevance_QN: float64; of equal values the lowest index is visited first.
        k: most picks a query.
        floor: frames of lower relevance are not visited (-inf: all are).
        threads: of the CPU. The picks don't depend on them.
    """
    left_QN = relevance_QN.masked_fill(relevance_QN < floor, -torch.inf)
    visits = [_Visit(left_N, k, likeness) for left_N in left_QN]
    over_threads(lambda group: _visit(likeness, group, BLOCKS[0]), _groups(visits, threads), threads)
    if unfinished := [visit for visit in visits if not visit.over]:
        runs = FrameRuns(likeness, threads)
        over_threads(lambda group: _go_on(likeness, runs, group), _groups(unfinished, threads), threads)
    picks_QK = torch.full((len(visits), k), -1, dtype=torch.int64)
    for row, visit in enumerate(visits):
        picks_QK[row, : len(visit.picks)] = torch.tensor(visit.picks, dtype=torch.int64)
    return picks_QK


class _Visit:
    """One query's way through the frames.

    Attributes:
        left_N: relevance of the frames that are neither visited nor crossed out, -inf elsewhere.
        picks: so far; the first `crossed` of them have crossed out what is like them.
    """

    def __init__(self, left_N: Tensor, k: int, likeness: Likeness) -> None:
        self.left_N, self.k = left_N, k
        self.picks: list[int] = []
        self.pick_rows = torch.zeros(k, likeness.vectors.x_ND.shape[1], dtype=likeness.type)
        self.visited = self.crossed = 0
        self.over = False

    @property
    def promising(self) -> bool:
        """Whether, at the rate so far, the picks are complete within a few blocks."""
        return not self.over and self.visited * self.k <= len(self.picks) * sum(BLOCKS)

    def take(self, frames: list[int], rows: Tensor, alike: np.ndarray) -> None:
        """Picks greedily from frames that are like no pick so far.

        Args:
            frames: S indices, best first.
            rows: `[S, D]`.
            alike: `[S, bytes]` uint8: a bit a frame, the first is the lowest.
        """
        free = (1 << len(frames)) - 1
        while free and not self.over:
            place = (free & -free).bit_length() - 1
            self.pick_rows[len(self.picks)] = rows[place]
            self.picks.append(frames[place])
            self.over = len(self.picks) == self.k
            free &= ~(int.from_bytes(alike[place].tobytes(), "little") | 1 << place)


def _groups(visits: list[_Visit], threads: int) -> list[list[_Visit]]:
    """Queries that go in step."""
    size = min(QUERIES, -(-len(visits) // threads))
    return [visits[start : start + size] for start in range(0, len(visits), size)]


def _go_on(likeness: Likeness, runs: FrameRuns, visits: list[_Visit]) -> None:
    """Visits what is left after the first block, the cheapest way."""
    if not runs.worthwhile:
        for size in chain(BLOCKS[1:], repeat(BLOCKS[-1])):
            if not (promising := [visit for visit in visits if visit.promising]):
                break
            _visit(likeness, promising, size)
    while visits := [visit for visit in visits if not visit.over]:
        dead_VN = cross_out(likeness, runs, [visit.picks[visit.crossed :] for visit in visits])
        for visit, dead_N in zip(visits, dead_VN, strict=True):
            visit.left_N.masked_fill_(dead_N, -torch.inf)
            visit.crossed = len(visit.picks)
        _visit(likeness, visits, HEAD)


def _visit(likeness: Likeness, visits: list[_Visit], size: int) -> None:
    """Visits the best frames left of each query, and picks from what is like no pick so far."""
    block_VB = _best(visits, size)
    free_VB = block_VB >= 0
    for visit, block, free in zip(visits, block_VB, free_VB, strict=True):
        visit.left_N[block[free]] = -torch.inf
        visit.visited += size
        visit.over = not free[0]
    block_VB.clamp_(min=0)
    rows_VBD = likeness.rows(block_VB)
    if any(visit.crossed < len(visit.picks) for visit in visits):
        picks_VS = pad_sequence([torch.tensor(v.picks, dtype=torch.int64) for v in visits], True, -1)
        picked_VSD = torch.stack([visit.pick_rows[: picks_VS.shape[1]] for visit in visits])
        alike_VBS = likeness.between(block_VB, rows_VBD, picks_VS.clamp(min=0), picked_VSD)
        free_VB &= ~(alike_VBS & (picks_VS >= 0)[:, None]).any(dim=2)
    _take_survivors(likeness, visits, block_VB, rows_VBD, free_VB)


def _take_survivors(
    likeness: Likeness, visits: list[_Visit], block_VB: Tensor, rows_VBD: Tensor, free_VB: Tensor
) -> None:
    """Compares with one another the frames that are free, and lets each query pick."""
    counts = free_VB.sum(dim=1).tolist()
    place_VS = (~free_VB).to(torch.uint8).sort(dim=1, stable=True).indices[:, : max(counts)]
    block_VS = block_VB.gather(1, place_VS)
    if place_VS.shape[1] < block_VB.shape[1]:
        rows_VBD = torch.stack([rows[place] for rows, place in zip(rows_VBD, place_VS, strict=True)])
    alike_VSS = likeness.between(block_VS, rows_VBD, block_VS, rows_VBD).numpy()
    bits_VSb = np.packbits(alike_VSS, axis=2, bitorder="little")
    for visit, block, rows, bits, count in zip(visits, block_VS.tolist(), rows_VBD, bits_VSb, counts, strict=True):
        visit.take(block[:count], rows, bits)


def _best(visits: list[_Visit], size: int) -> Tensor:
    """The best frames left of each query, best first, of equals the lowest index first: `[V, size]`, padded with -1."""
    rows = max(1, ORDERED_ELEMENTS // len(visits[0].left_N))
    parts = [
        _best_of(torch.stack([visit.left_N for visit in visits[start : start + rows]]), size)
        for start in range(0, len(visits), rows)
    ]
    return torch.cat(parts)


def _best_of(left_VN: Tensor, size: int) -> Tensor:
    value_VB, best_VB = left_VN.topk(min(size + 1, left_VN.shape[1]), dim=1)
    if best_VB.shape[1] > size:
        # Of frames as good as the last, topk takes any.
        tied_V = (value_VB[:, -1] == value_VB[:, -2]) & (value_VB[:, -1] > -torch.inf)
        for row in tied_V.nonzero().squeeze(1).tolist():
            better = (left_VN[row] > value_VB[row, -1]).nonzero().squeeze(1)
            equal = (left_VN[row] == value_VB[row, -1]).nonzero().squeeze(1)
            best_VB[row, :size] = torch.cat([better, equal[: size - len(better)]])
        best_VB = best_VB[:, :size]
    best_VB = best_VB.sort(dim=1).values
    value_VB, place_VB = left_VN.gather(1, best_VB).sort(dim=1, descending=True, stable=True)
    best_VB = best_VB.gather(1, place_VB).masked_fill_(value_VB == -torch.inf, -1)
    return torch.nn.functional.pad(best_VB, (0, size - best_VB.shape[1]), value=-1)
