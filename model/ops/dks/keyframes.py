"""Differential keyframe selection (DKS) of ViLaMP (arXiv 2504.02438, section 3.2), for all queries of a video at once.

In each of K rounds, every query selects its most relevant remaining frame and suppresses the frames too similar to it.
This equals visiting the frames by descending relevance and selecting a frame if its similarity to every selected frame
is below tau. A round is one matrix product over all queries, so time is K x Q x N x D and memory Q x N. Cosines are
float32: frames whose relevance, or pairs whose similarity and tau, differ by less than 1e-6 may be decided either way.

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
_SELF = 0.999  # a frame's cosine to itself is above, with all rounding: it suppresses itself below that tau


@dataclass(frozen=True)
class Keyframes:
    """Holds the selected keyframes of each query.

    Attributes:
        indices: `[Q, K]` int64, ascending (temporal order), padded with -1 at the end.
        counts: `[Q]` int64, number of keyframes per query.
        relevance: `[Q, K]` float32, cosine of each keyframe and the query; 0 at the padding.
    """

    indices: Tensor
    counts: Tensor
    relevance: Tensor

    def __repr__(self) -> str:
        return f"Keyframes(indices={list(self.indices.shape)}, counts={self.counts.tolist()})"

    def of(self, query: int) -> list[int]:
        """Returns the keyframes of one query in temporal order."""
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
    """Selects up to k keyframes per query.

    Args:
        frames_ND: `[N, D]` image embeddings in temporal order, floating point; they need not be normalised.
        queries_QD: `[Q, D]` text embeddings in the same space and on the same device.
        k: maximum number of keyframes per query.
        tau: a frame is suppressed if its cosine to a selected frame is at least tau (`released`: above tau).
        mode: `paper`: the published formula; fewer than k keyframes are possible. `released`: as the official code
            does: selection stops below `relevance_floor`, and free slots are filled in the temporal gaps up to min(k,
                N).
            `recurrent`: an extension that keeps repeated occurrences of an event (`model.ops.dks.recurrent`).
        relevance_floor: minimum relevance of mode `released`.
        dip: for `recurrent`, how far relevance must fall between two occurrences, relative to the query's contrast.

    Raises:
        TypeError: frames or queries are not tensors, or k is not an integer.
        ValueError: k < 1, tau is NaN, dip <= 0, the mode is unknown, widths differ, or a row is zero or not finite.
    """
    _check(frames_ND, queries_QD, k, tau)
    if mode not in get_args(Mode):
        raise ValueError(f"mode = {mode!r}: use one of {', '.join(get_args(Mode))}")
    if frames_ND.shape[0] == 0 or queries_QD.shape[0] == 0:
        none_QK = torch.full((queries_QD.shape[0], k), -1, device=queries_QD.device)
        return _in_time(none_QK, torch.zeros(len(none_QK), 1, device=queries_QD.device))
    frames, queries = Vectors(frames_ND, name="frames"), Vectors(queries_QD, name="queries")
    with torch.autocast(frames_ND.device.type, enabled=False):  # autocast would compute cosines in half precision
        relevance_QN = frames.dots(queries.x_ND / queries.length_N[:, None]) / frames.length_N
        selected_QK = select_in_rounds(
            frames,
            relevance_QN,
            k,
            tau=tau,
            inclusive=mode != "released",
            floor=relevance_floor if mode == "released" else -torch.inf,
            same=SameOccurrence(relevance_QN, dip) if mode == "recurrent" else None,
        )
    if mode == "released":
        selected_QK = fill_gaps(selected_QK, num_frames=frames_ND.shape[0])
    return _in_time(selected_QK, relevance_QN)


def select_keyframes_ragged(frames: Sequence[Tensor], queries: Sequence[Tensor], **options: Any) -> list[Keyframes]:
    """Applies `select_keyframes` to several videos with different numbers of frames and queries, each on its own.

    Args:
        frames: `[N_i, D]` per video.
        queries: `[Q_i, D]` per video.
        options: options of `select_keyframes`.

    Raises:
        TypeError: see `select_keyframes`.
        ValueError: the numbers of videos and of sets of queries differ; see also `select_keyframes`.
    """
    if len(frames) != len(queries):
        raise ValueError(f"{len(frames)} videos but {len(queries)} sets of queries: pass one set per video")
    return [select_keyframes(f, q, **options) for f, q in zip(frames, queries, strict=True)]


def as_indices(keyframes: "Tensor | Keyframes", *, num_queries: int) -> Tensor:
    """Returns keyframes as checked `[Q, K]` int64.

    Raises:
        TypeError: the input is neither `Keyframes` nor a tensor of integers.
        ValueError: the number of rows is not `num_queries`.
    """
    rows_QK = keyframes.indices if isinstance(keyframes, Keyframes) else keyframes
    if not isinstance(rows_QK, Tensor) or rows_QK.is_floating_point() or rows_QK.dtype == torch.bool:
        found = rows_QK.dtype if isinstance(rows_QK, Tensor) else type(rows_QK).__name__
        raise TypeError(f"keyframes: expected Keyframes or a tensor of integers [Q, K], got {found}")
    if rows_QK.ndim != 2 or rows_QK.shape[0] != num_queries:
        raise ValueError(f"keyframes {list(rows_QK.shape)} for {num_queries} queries: pass [Q, K], a row per query")
    return rows_QK.long()


def _check(frames_ND: Tensor, queries_QD: Tensor, k: int, tau: float) -> None:
    """Raises TypeError for wrong types, and ValueError for mismatched shapes, k < 1 or tau = NaN."""
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


def select_in_rounds(
    frames: Vectors,
    relevance_QN: Tensor,
    k: int,
    *,
    tau: float,
    inclusive: bool = True,
    floor: float = -torch.inf,
    same: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Runs K rounds of "select the most relevant remaining frame, suppress similar ones" without a host sync.

    Args:
        relevance_QN: cosines of all frames to each query.
        inclusive: whether a cosine of exactly tau counts as similar.
        floor: frames of lower relevance are not selected.
        same: maps the frames selected in a round, `[Q]`, to the frames they may suppress, `[Q, N]` bool (None: all).

    Returns:
        `[Q, K]` int64 in the order of selection, padded with -1.
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
        if tau > _SELF or same is not None:
            similar_QN.scatter_(1, best_Q[:, None], True)
        left_QN.masked_fill_(similar_QN, -torch.inf)
    selected_QK = torch.stack(best, dim=1).masked_fill_(torch.stack(left, dim=1) == -torch.inf, -1)
    return torch.nn.functional.pad(selected_QK, (0, k - selected_QK.shape[1]), value=-1)


def _in_time(selected_QK: Tensor, relevance_QN: Tensor) -> Keyframes:
    """Sorts selected frames, which are in any order and padded with -1, into temporal order."""
    num_frames = relevance_QN.shape[1]
    taken_QK = selected_QK >= 0
    indices_QK = torch.where(taken_QK, selected_QK, num_frames).sort(dim=1).values
    padding_QK = indices_QK == num_frames
    relevance_QK = relevance_QN.gather(1, indices_QK.clamp(max=num_frames - 1)).float()
    return Keyframes(
        indices_QK.masked_fill(padding_QK, -1), taken_QK.sum(dim=1), relevance_QK.masked_fill(padding_QK, 0.0)
    )
