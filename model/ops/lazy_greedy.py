"""The greedy selection as a CPU likes it: visit few frames, and compare them in bulk.

The queries visit their frames in order, all in step, a block at a time: a block is compared with the query's picks so
far, and what survives with itself. Most have their K picks after a few hundred frames. For those that find few (a
video of few scenes yields fewer than K picks, so all its frames are visited) the latest picks of all queries are
compared with all frames in one matrix product; each query crosses out what is like its own, and goes on with the head
of what remains.

Shapes: N frames, Q queries, K keyframes, D width; of the queries that go on V, each with B or S frames in hand.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from model.ops.likeness import Likeness

BLOCKS = (64, 128, 256, 512)
"""Frames visited at once: few at first, as most are picked; more later, as most are alike."""
HEAD = 64
"""Frames looked at after each crossing-out."""
QUERIES = 32
"""Queries in step at once, and COLUMN_ELEMENTS of comparisons with all frames: these bound the memory."""
COLUMN_ELEMENTS = 2**22


def pick_lazily(likeness: Likeness, relevance_QN: Tensor, k: int, *, floor: float) -> Tensor:
    """Greedy picks of each query, `[Q, K]` int64 in the order of picking, padded with -1.

    Args:
        likeness: which frames exclude one another.
        relevance_QN: float64; of equal values the lowest index is visited first.
        k: most picks a query.
        floor: frames of lower relevance are not visited (-inf: all are).
    """
    visits = [_Visit(likeness, relevance_N, k, floor) for relevance_N in relevance_QN]
    for start in range(0, len(visits), QUERIES):
        _in_step(likeness, visits[start : start + QUERIES])
    _cross_out(likeness, [visit for visit in visits if visit.needs_more()])
    picks_QK = torch.full((len(visits), k), -1, dtype=torch.int64)
    for row, visit in enumerate(visits):
        picks_QK[row, : len(visit.picks)] = torch.tensor(visit.picks, dtype=torch.int64)
    return picks_QK


class _Visit:
    """One query's way through the frames: its `picks`, and the `rest` of its order as far as that is known.

    Later, when picks are crossed out: `alive_N`, the frames that are neither visited nor like a pick.
    """

    def __init__(self, likeness: Likeness, relevance_N: Tensor, k: int, floor: float) -> None:
        self.relevance_N, self.k = relevance_N, k
        self.picks: list[int] = []
        self.pick_rows = torch.zeros(k, likeness.vectors.x_ND.shape[1], dtype=likeness.type)
        self.alive_N = relevance_N >= floor
        self.order = self.rest = _best(relevance_N, sum(BLOCKS), floor)

    @property
    def full(self) -> bool:
        return len(self.picks) == self.k

    @property
    def promising(self) -> bool:
        """Whether, at the rate so far, the picks are complete within the frames first ordered."""
        visited = len(self.order) - len(self.rest)
        return len(self.rest) > 0 and not self.full and visited * self.k <= len(self.picks) * sum(BLOCKS)

    def needs_more(self) -> bool:
        """Whether frames are left to visit; from here on `alive_N` says which."""
        self.alive_N[self.order[: len(self.order) - len(self.rest)]] = False
        return not self.full and bool(self.alive_N.any())

    def pop(self, size: int) -> Tensor:
        """The next frames of the order."""
        head, self.rest = self.rest[:size], self.rest[size:]
        return head

    def pop_alive(self, size: int) -> Tensor:
        """The best frames that are alive, in order: as many as asked for, and what equals the last of them."""
        alive = self.alive_N.nonzero().squeeze(1)
        head = alive[_best(self.relevance_N[alive], size, -torch.inf)]
        self.alive_N[head] = False
        return head

    def take(self, frames: list[int], rows: Tensor, alike) -> list[int]:
        """Picks greedily from frames that are like no pick so far, by their matrix; returns the new picks."""
        free, new = [True] * len(frames), []
        for place, frame in enumerate(frames):
            if free[place] and not self.full:
                new.append(place)
                self.pick_rows[len(self.picks)] = rows[place]
                self.picks.append(frame)
                for other in alike[place].nonzero()[0].tolist():
                    free[other] = False
        return [frames[place] for place in new]


def _best(relevance_N: Tensor, most: int, floor: float) -> Tensor:
    """Frames by descending relevance, equal ones by index: the first `most`, and what equals the last of them."""
    if most < len(relevance_N):
        place = len(relevance_N) - most
        floor = max(floor, np.partition(relevance_N.numpy(), place)[place].item())
    candidates = (relevance_N >= floor).nonzero().squeeze(1)
    return candidates[relevance_N[candidates].sort(descending=True, stable=True).indices]


def _in_step(likeness: Likeness, visits: list[_Visit]) -> None:
    """Visits the frames first ordered, for as long as that finds picks."""
    step = 0
    while visits := [visit for visit in visits if visit.promising]:
        size = BLOCKS[min(step, len(BLOCKS) - 1)]
        block_VB = pad_sequence([visit.pop(size) for visit in visits], batch_first=True, padding_value=-1)
        free_VB = block_VB >= 0
        block_VB = block_VB.clamp(min=0)
        rows_VBD = likeness.rows(block_VB)
        if step:
            picks_VS = pad_sequence([torch.tensor(v.picks) for v in visits], batch_first=True, padding_value=-1)
            picked_VSD = torch.stack([visit.pick_rows[: picks_VS.shape[1]] for visit in visits])
            alike_VBS = likeness.between(block_VB, rows_VBD, picks_VS.clamp(min=0), picked_VSD)
            free_VB &= ~(alike_VBS & (picks_VS >= 0)[:, None]).any(dim=2)
        _take_survivors(likeness, visits, block_VB, rows_VBD, free_VB)
        step += 1


def _take_survivors(
    likeness: Likeness, visits: list[_Visit], block_VB: Tensor, rows_VBD: Tensor, free_VB: Tensor
) -> list[list[int]]:
    """Compares with one another the frames that are free, and lets each query pick; returns the new picks."""
    counts = free_VB.sum(dim=1).tolist()
    place_VS = (~free_VB).to(torch.uint8).sort(dim=1, stable=True).indices[:, : max(counts)]
    block_VS = block_VB.gather(1, place_VS)
    if place_VS.shape[1] < block_VB.shape[1]:
        rows_VBD = torch.stack([rows[place] for rows, place in zip(rows_VBD, place_VS, strict=True)])
    alike_VSS = likeness.between(block_VS, rows_VBD, block_VS, rows_VBD).numpy()
    return [
        visit.take(block[:count].tolist(), rows, alike[:count, :count])
        for visit, block, rows, alike, count in zip(visits, block_VS, rows_VBD, alike_VSS, counts, strict=True)
    ]


def _cross_out(likeness: Likeness, visits: list[_Visit]) -> None:
    """Finishes visits: crosses out what is like the newest picks, and picks from the best that is alive."""
    newest = [visit.picks for visit in visits]
    while visits:
        for visit, dead_N in zip(visits, _like_any(likeness, newest), strict=True):
            visit.alive_N &= ~dead_N
        visits = [visit for visit in visits if visit.alive_N.any()]
        if not visits:
            return
        block_VB = pad_sequence([visit.pop_alive(HEAD) for visit in visits], batch_first=True, padding_value=-1)
        free_VB = block_VB >= 0
        block_VB = block_VB.clamp(min=0)
        newest = _take_survivors(likeness, visits, block_VB, likeness.rows(block_VB), free_VB)
        going_on = [(visit, new) for visit, new in zip(visits, newest, strict=True) if not visit.full]
        visits, newest = [visit for visit, _ in going_on], [new for _, new in going_on]


def _like_any(likeness: Likeness, picks: list[list[int]]) -> Tensor:
    """For each list of picks the frames like one of them, `[lists, N]` bool; a shared pick is compared once."""
    num_frames = len(likeness.vectors)
    dead = torch.zeros(len(picks), num_frames, dtype=torch.bool)
    for columns in torch.tensor(sorted(set().union(*picks))).split(max(16, COLUMN_ELEMENTS // num_frames)):
        alike, place = likeness.to_all(columns), {frame: i for i, frame in enumerate(columns.tolist())}
        for row, frames in enumerate(picks):
            own = [place[frame] for frame in frames if frame in place]
            if own:
                dead[row] |= alike[own].any(dim=0)
    return dead
