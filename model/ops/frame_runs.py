"""Runs of consecutive frames that look alike: a comparison with a run's centre mostly settles all of its frames.

Angles obey the triangle inequality: where every frame of a run lies within `reach` of the run's centre and a pick lies
at angle a from it, the pick lies between a - reach and a + reach from every frame of the run. So one product decides
about a shot; where it does not, the frames are compared one by one. All bounds hold for float32's errors too.

Shapes: N frames, R runs, A picks, D width.
"""

import math

import torch
from torch import Tensor

from model.ops.likeness import Likeness
from model.ops.threads import over_threads

LONGEST = 32
"""Frames of a run: the longer, the fewer comparisons, and the more of them that decide nothing."""
JOINED = 0.7
"""Neighbours within this share of tau's angle belong to one run."""
FEWEST = 6
"""Frames a run on average, below which runs don't pay."""


class FrameRuns:
    """The runs of a video, or none where too few neighbours are alike (`worthwhile` is false).

    Args:
        likeness: of the video's frames.
        threads: of the CPU.
    """

    def __init__(self, likeness: Likeness, threads: int = 1) -> None:
        self.likeness, self.threads = likeness, threads
        self.angle = math.acos(max(-1.0, min(1.0, likeness.tau)))
        self.run_N = _runs(self._to_next(), math.cos(JOINED * self.angle))
        self.length_R = torch.bincount(self.run_N)
        self.start_R = self.length_R.cumsum(0) - self.length_R
        self.worthwhile = len(self.length_R) * FEWEST <= len(likeness.vectors)
        if self.worthwhile:
            self._measure()

    def _to_next(self) -> Tensor:
        """Cosine of each frame to the next, `[N - 1]`."""
        cosine_N = torch.empty(len(self.likeness.vectors), dtype=self.likeness.type)

        def fill(block: slice) -> None:
            rows_BD = self.likeness.rows_of(slice(block.start, block.stop + 1))
            cosine_N[block.start : block.start + len(rows_BD) - 1] = torch.linalg.vecdot(rows_BD[:-1], rows_BD[1:])

        over_threads(fill, list(self.likeness.vectors.blocks()), self.threads)
        return cosine_N[:-1]

    def _measure(self) -> None:
        """Centres of length 1, and between which cosines to them nothing is sure."""
        width, runs = self.likeness.vectors.x_ND.shape[1], len(self.length_R)
        self.center_RD = torch.zeros(runs, width, dtype=self.likeness.type)
        for block in self.likeness.vectors.blocks():
            self.center_RD.index_add_(0, self.run_N[block], self.likeness.rows_of(block))
        self.center_RD /= torch.linalg.vector_norm(self.center_RD, dim=1, keepdim=True)
        cosine_N = torch.empty(len(self.run_N), dtype=self.likeness.type)

        def to_center(block: slice) -> None:
            center_BD = self.center_RD.index_select(0, self.run_N[block])
            cosine_N[block] = torch.linalg.vecdot(self.likeness.rows_of(block), center_BD)

        over_threads(to_center, list(self.likeness.vectors.blocks()), self.threads)
        nearest_R = torch.ones(runs, dtype=self.likeness.type).scatter_reduce_(0, self.run_N, cosine_N, "amin")
        slack = self.likeness.bound + 1e-5  # of a float32 cosine, and of the roundings here
        reach_R = (nearest_R.double() - slack).clamp(-1, 1).acos()
        alike_R = torch.where(reach_R < self.angle, (self.angle - reach_R).cos() + slack, torch.inf)
        apart_R = (self.angle + reach_R).clamp(max=math.pi).cos() - slack
        self.alike_R, self.apart_R = alike_R.to(self.likeness.type), apart_R.to(self.likeness.type)

    def compare(self, pick_AD: Tensor) -> tuple[Tensor, Tensor]:
        """Which runs are whole like some picks, and of which that is not sure: two `[A, R]` bool.

        Args:
            pick_AD: `Likeness.rows` of the picks.
        """
        with torch.autocast(pick_AD.device.type, enabled=False):
            cosine_AR = pick_AD @ self.center_RD.T
        alike_AR = cosine_AR >= self.alike_R
        return alike_AR, (cosine_AR > self.apart_R) ^ alike_AR

    def frames(self, runs: Tensor) -> tuple[Tensor, Tensor]:
        """The frames of some runs: for each frame the place of its run in `runs`, and its index."""
        length = self.length_R[runs]
        place = torch.arange(len(runs)).repeat_interleave(length)
        first = length.cumsum(0) - length
        return place, self.start_R[runs][place] + torch.arange(len(place)) - first[place]


def _runs(to_next: Tensor, joined: float) -> Tensor:
    """The run of each frame, `[N]`: cut where neighbours differ, and after LONGEST frames."""
    cut_N = torch.cat([torch.zeros(1, dtype=torch.bool), to_next < joined])
    place_N = torch.arange(len(cut_N))
    since_N = place_N - torch.where(cut_N, place_N, 0).cummax(0).values
    return (cut_N | ((since_N > 0) & (since_N % LONGEST == 0))).cumsum(0)
