"""Differential keyframe selection (DKS) of ViLaMP (arXiv 2504.02438, section 3.2), for all queries of a video at once.

K rounds of: each query takes the most relevant frame that is left, and drops those too similar to it. That equals
visiting the frames by descending relevance and taking one while its similarity to every frame taken so far is below
tau. A round is one matrix product over all queries, so time is K x Q x N x D and memory Q x N. Cosines are float32: two
frames whose relevance, or a pair whose similarity and tau, differ by less than 1e-6 may be decided either way.

Shapes: N frames, Q queries, D width, K keyframes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from model.ops.dks.gap_fill import fill_gaps
from model.ops.dks.recurrent import SameOccurrence
from model.ops.dks.vectors import Vectors

Mode = Literal["paper", "released", "recurrent"]


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
            `recurrent`: our own, which keeps the second time of an event (`model.ops.dks.recurrent`).
        relevance_floor: of `released`.
        dip: of `recurrent`: how far relevance must fall between two occurrences, as a share of the query's contrast.

    Raises:
        TypeError: frames or queries that are no tensors, k that is no whole number.
        ValueError: k < 1, tau is NaN, dip <= 0, an unknown mode, different widths, or a row that is NaN or zero.
    """
    _check(frames_ND, queries_QD, k, tau)
    if mode not in get_args(Mode):
        raise ValueError(f"mode = {mode!r}: use one of {', '.join(get_args(Mode))}")
    if frames_ND.shape[0] == 0 or queries_QD.shape[0] == 0:
        return _empty(queries_QD.shape[0], k, queries_QD.device)
    frames, queries = Vectors(frames_ND, name="frames"), Vectors(queries_QD, name="queries")
    with torch.autocast(frames_ND.device.type, enabled=False):  # it would take cosines in half precision
        relevance_QN = frames.dots(queries.x_ND / queries.length_N[:, None]) / frames.length_N
        picks_QK = pick_in_rounds(
            frames,
            relevance_QN,
            k,
            tau=tau,
            inclusive=mode != "released",
            floor=relevance_floor if mode == "released" else -torch.inf,
            same=SameOccurrence(relevance_QN, dip) if mode == "recurrent" else None,
        )
    if mode == "released":
        picks_QK = fill_gaps(picks_QK, num_frames=frames_ND.shape[0])
    return _in_time(picks_QK, relevance_QN)


def select_keyframes_ragged(frames: Sequence[Tensor], queries: Sequence[Tensor], **options: Any) -> list[Keyframes]:
    """`select_keyframes` for several videos of different lengths and numbers of queries, each as if it were alone.

    Args:
        frames: for each video `[N_i, D]`.
        queries: for each video `[Q_i, D]`.
        options: as of `select_keyframes`.
    """
    if len(frames) != len(queries):
        raise ValueError(f"{len(frames)} videos but {len(queries)} sets of queries: pass one set a video")
    return [select_keyframes(f, q, **options) for f, q in zip(frames, queries, strict=True)]


def as_indices(keyframes: "Tensor | Keyframes", *, num_queries: int) -> Tensor:
    """The rows of keyframes of some queries as `[Q, K]` int64, checked.

    Raises:
        TypeError: neither `Keyframes` nor a tensor of integers.
        ValueError: not a row for each query.
    """
    rows_QK = keyframes.indices if isinstance(keyframes, Keyframes) else keyframes
    if not isinstance(rows_QK, Tensor) or rows_QK.is_floating_point() or rows_QK.dtype == torch.bool:
        found = rows_QK.dtype if isinstance(rows_QK, Tensor) else type(rows_QK).__name__
        raise TypeError(f"keyframes: expected Keyframes or a tensor of integers [Q, K], got {found}")
    if rows_QK.ndim != 2 or rows_QK.shape[0] != num_queries:
        raise ValueError(f"keyframes {list(rows_QK.shape)} for {num_queries} queries: pass [Q, K], a row per query")
    return rows_QK.long()


def _check(frames_ND: Tensor, queries_QD: Tensor, k: int, tau: float) -> None:
    """Raises TypeError for what is no tensor or no integer; ValueError for shapes that don't agree, k < 1, tau NaN."""
    for name, x in (("frames", frames_ND), ("queries", queries_QD)):
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: expected a torch tensor, got {type(x).__name__}. Use torch.as_tensor")
    if isinstance(k, bool) or not isinstance(k, int):
        raise TypeError(f"k = {k!r}: expected a whole number of keyframes")
    if k < 1:
        raise ValueError(f"k = {k}: at least one keyframe must be allowed")
    if math.isnan(tau):
        raise ValueError("tau = nan: expected a cosine, such as 0.85")
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
    frames: Vectors,
    relevance_QN: Tensor,
    k: int,
    *,
    tau: float,
    inclusive: bool = True,
    floor: float = -torch.inf,
    same: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """K rounds of "take the best that is left, drop what is similar to it", without a host sync.

    Args:
        relevance_QN: cosines.
        inclusive: a cosine of just tau is similar.
        floor: frames of lower relevance are not taken.
        same: from the picks of a round, `[Q]`, which frames may be dropped for them, `[Q, N]` bool (None: all).

    Returns:
        `[Q, K]` int64 in the order of picking, padded with -1.
    """
    left_QN = relevance_QN.masked_fill(relevance_QN < floor, -torch.inf)
    limit_N = tau * frames.length_N
    best, left = [], []
    for _ in range(min(k, len(frames))):
        left_Q, best_Q = left_QN.max(dim=1)
        left.append(left_Q)
        best.append(best_Q)
        dot_QN = frames.dots(frames.unit(best_Q))
        similar_QN = dot_QN >= limit_N if inclusive else dot_QN > limit_N
        if same is not None:
            similar_QN &= same(best_Q)
        similar_QN.scatter_(1, best_Q[:, None], True)  # also where tau is above 1
        left_QN.masked_fill_(similar_QN, -torch.inf)
    picks_QK = torch.stack(best, dim=1).masked_fill_(torch.stack(left, dim=1) == -torch.inf, -1)
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
