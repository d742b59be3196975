"""Differential keyframe selection (DKS) of ViLaMP (arXiv 2504.02438, section 3.2), for all queries of a video at once.

Frames are visited by descending relevance to the query; a frame is taken while fewer than K are and its similarity to
every frame taken so far is below tau. That equals K rounds of: take the most relevant frame that is left, drop those
too similar to it. All comparisons are on cosines that depend on nothing but the two vectors (`model.ops.similarity`),
so the picks of a query are the same on a CPU and on a GPU, alone or among other queries.

Shapes: N frames, Q queries, D width, K keyframes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from model.ops.gap_fill import fill_gaps
from model.ops.keyframes_recurrent import pick_recurrences
from model.ops.lazy_greedy import pick_lazily
from model.ops.likeness import Likeness
from model.ops.threads import one_thread
from model.ops.vectors import Vectors

Mode = Literal["paper", "released", "recurrent"]
WORTH_THREADS = 2**24
"""Products of relevance below which threads cost more than they bring."""


@dataclass(frozen=True)
class Keyframes:
    """The keyframes of each query.

    Attributes:
        indices: `[Q, K]` int64, ascending (temporal order), padded at the end with -1.
        counts: `[Q]` int64, how many are not padding.
        relevance: `[Q, K]` float32, cosine of each pick to the query; 0 at the padding.
    """

    indices: Tensor
    counts: Tensor
    relevance: Tensor

    def __repr__(self) -> str:
        return f"Keyframes(indices={list(self.indices.shape)}, counts={self.counts.tolist()})"

    def of(self, query: int) -> list[int]:
        """The picks of one query, in temporal order."""
        return self.indices[query, : int(self.counts[query])].tolist()


@torch.no_grad()
def select_keyframes(
    frames_ND: Tensor,
    queries_QD: Tensor,
    *,
    k: int = 32,
    tau: float = 0.85,
    mode: Mode = "paper",
    relevance_floor: float = 0.2,
    dip: float = 0.5,
) -> Keyframes:
    """Selects up to k keyframes for each query.

    Args:
        frames_ND: `[N, D]` image embeddings in temporal order, any length, floating point.
        queries_QD: `[Q, D]` text embeddings in the same space and on the same device.
        k: most keyframes a query.
        tau: a frame is dropped when its cosine to a pick reaches tau (`released`: exceeds it).
        mode: `paper`: as the formula says; fewer than k picks are legal. `released`: as the authors' code does it:
            selection stops below `relevance_floor`, and free slots are filled in the temporal gaps to min(k, N).
            `recurrent`: our own, which keeps the second time of an event (`model.ops.keyframes_recurrent`).
        relevance_floor: of `released`.
        dip: of `recurrent`: how far relevance must fall between two occurrences, as a share of the query's contrast.

    Raises:
        ValueError: k < 1, dip <= 0, an unknown mode, different widths, or a row that is NaN or zero.
    """
    _check(frames_ND, queries_QD, k)
    if mode not in get_args(Mode):
        raise ValueError(f"mode = {mode!r}: use one of {', '.join(get_args(Mode))}")
    if frames_ND.shape[0] == 0 or queries_QD.shape[0] == 0:
        return _empty(queries_QD.shape[0], k, queries_QD.device)
    with one_thread() as threads:
        frames, queries = Vectors(frames_ND, name="frames"), Vectors(queries_QD, name="queries")
        on_cpu = frames_ND.device.type == "cpu"
        if not on_cpu or frames_ND.numel() * len(queries) < WORTH_THREADS:
            threads = 1
        relevance_QN = frames.exact_cosines(queries.units(slice(None)), threads)
        floor = relevance_floor if mode == "released" else -torch.inf
        if mode == "recurrent":
            picks_QK = pick_recurrences(frames, relevance_QN, k, tau=tau, dip=dip)
        elif on_cpu:
            likeness = Likeness(frames, tau=tau, inclusive=mode == "paper")
            picks_QK = pick_lazily(likeness, relevance_QN, k, floor=floor, threads=threads)
        else:
            picks_QK = pick_in_rounds(frames, relevance_QN, k, tau=tau, inclusive=mode == "paper", floor=floor)
        if mode == "released":
            picks_QK = fill_gaps(picks_QK, num_frames=frames_ND.shape[0])
        return _in_time(picks_QK, relevance_QN)


def select_keyframes_ragged(frames: Sequence[Tensor], queries: Sequence[Tensor], **options) -> list[Keyframes]:
    """`select_keyframes` for several videos of different lengths and numbers of queries, each as if it were alone.

    Args:
        frames: for each video `[N_i, D]`.
        queries: for each video `[Q_i, D]`.
        options: as of `select_keyframes`.
    """
    if len(frames) != len(queries):
        raise ValueError(f"{len(frames)} videos but {len(queries)} sets of queries: pass one set a video")
    return [select_keyframes(f, q, **options) for f, q in zip(frames, queries, strict=True)]


def _check(frames_ND: Tensor, queries_QD: Tensor, k: int) -> None:
    """Raises ValueError for shapes that don't agree and k < 1."""
    if k < 1:
        raise ValueError(f"k = {k}: at least one keyframe must be allowed")
    if frames_ND.ndim != 2 or queries_QD.ndim != 2 or frames_ND.shape[1] != queries_QD.shape[1]:
        raise ValueError(
            f"frames {list(frames_ND.shape)} and queries {list(queries_QD.shape)}: expected [N, D] and [Q, D] of one "
            "tower"
        )


def _empty(num_queries: int, k: int, device: torch.device) -> Keyframes:
    """What is selected from a video without frames."""
    return Keyframes(
        torch.full((num_queries, k), -1, dtype=torch.int64, device=device),
        torch.zeros(num_queries, dtype=torch.int64, device=device),
        torch.zeros(num_queries, k, device=device),
    )


def pick_in_rounds(
    frames: Vectors, relevance_QN: Tensor, k: int, *, tau: float, inclusive: bool, floor: float
) -> Tensor:
    """K rounds of "take the best that is left, drop what is like it", without a host sync.

    Args:
        relevance_QN: float64.
        inclusive: a cosine of just tau is alike.
        floor: frames of lower relevance are not taken.

    Returns:
        `[Q, K]` int64 in the order of picking, padded with -1.
    """
    left_QN = relevance_QN.masked_fill(relevance_QN < floor, -torch.inf)
    picks = []
    for _ in range(min(k, len(frames))):
        best_Q = left_QN.argmax(dim=1)  # the first of equals
        found_Q = left_QN.gather(1, best_Q[:, None]).squeeze(1) > -torch.inf
        picks.append(torch.where(found_Q, best_Q, -1))
        alike_QN = frames.exact_cosines(frames.units(best_Q))
        left_QN.masked_fill_(alike_QN >= tau if inclusive else alike_QN > tau, -torch.inf)
        left_QN.scatter_(1, best_Q[:, None], -torch.inf)
    picks_QK = torch.stack(picks, dim=1)
    return torch.nn.functional.pad(picks_QK, (0, k - picks_QK.shape[1]), value=-1)


def _in_time(picks_QK: Tensor, relevance_QN: Tensor) -> Keyframes:
    """Puts picks, -1 padded and in any order, into temporal order."""
    num_frames = relevance_QN.shape[1]
    taken_QK = picks_QK >= 0
    indices_QK = torch.where(taken_QK, picks_QK, num_frames).sort(dim=1).values
    padding_QK = indices_QK == num_frames
    relevance_QK = relevance_QN.gather(1, indices_QK.clamp(max=num_frames - 1)).float()
    return Keyframes(
        indices_QK.masked_fill(padding_QK, -1), taken_QK.sum(dim=1), relevance_QK.masked_fill(padding_QK, 0.0)
    )
