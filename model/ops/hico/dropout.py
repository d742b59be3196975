"""Progressive visual dropout of HiCo (VideoChat-Flash, arXiv 2501.00574): fewer visual tokens in deeper layers.

At a shallow layer the visual tokens are subsampled uniformly; at a deep one those stay that the text attends to. A
stage's ratio is always of the visual tokens a sequence STARTED with, so stages need not know what came before. The
published setting is layers [4, 18] with ratios [0.75, 0.25], uniform first, then by attention.

Sequences of different lengths share a batch as masks: every function here takes and returns masks and treats a sequence
as if it were alone. `attention_keep` (its check for NaN) and `repack` (the new length) synchronise with the host.

Shapes: B sequences, L positions, H query heads, G key heads (G divides H), d head width, W model width.
"""

from typing import NamedTuple

import torch
from torch import Tensor

QUERIES_PER_STEP = 64
"""Query positions worked on at once: bounds the memory of their attention rows."""


class Repacked(NamedTuple):
    """A batch after a drop.

    Attributes:
        hidden: `[B, l, W]`, kept positions in order, zeros behind.
        positions: `[B, l]` int64, 0, 1, 2, ... of the kept positions (for rotary embeddings); 0 behind.
        mask: `[B, l]` bool, where a position is real.
        sources: `[B, l]` int64, the position each came from; -1 behind. Carries masks, labels and caches along.
    """

    hidden: Tensor
    positions: Tensor
    mask: Tensor
    sources: Tensor


def keep_count(original_B: Tensor, ratio: float) -> Tensor:
    """How many visual tokens a stage leaves, `[B]`: `floor(ratio * original)`, but one at least where there was one."""
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio = {ratio}: a share of the original visual tokens in (0, 1]")
    # 0.29 * 100 is 28.99... in binary; the share that is meant is 29.
    count_B = (original_B.double() * ratio + 1e-6).floor().long()
    return torch.maximum(count_B, (original_B > 0).long())


def uniform_keep(visual_BL: Tensor, ratio: float, *, original_B: Tensor | None = None) -> Tensor:
    """Thins each sequence's visual tokens evenly: those at `floor(linspace(0, n - 1, count))` of its n.

    Args:
        visual_BL: bool, where a visual token is.
        ratio: share of the original visual tokens that stays.
        original_B: visual tokens each sequence started with; default: those in `visual_BL`.

    Returns:
        `[B, L]` bool: the visual tokens that stay (a subset of `visual_BL`; OR it with the text's mask).
    """
    n_B = visual_BL.sum(dim=1)
    count_B = keep_count(n_B if original_B is None else original_B, ratio)
    rank_BL = visual_BL.cumsum(dim=1) - 1
    # Rank r is kept when some i has floor(i * (n - 1) / (count - 1)) = r: the only candidate is the ceiling.
    steps_B1, span_B1 = (count_B - 1)[:, None], (n_B - 1).clamp(min=1)[:, None]
    i_BL = (rank_BL * steps_B1 + span_B1 - 1) // span_B1
    on_grid_BL = (i_BL * span_B1) // steps_B1.clamp(min=1) == rank_BL
    keep_BL = torch.where(steps_B1 <= 0, (rank_BL == 0) & (count_B > 0)[:, None], on_grid_BL)
    return visual_BL & (keep_BL | (count_B >= n_B)[:, None])


@torch.no_grad()
def attention_scores(
    queries_BLHd: Tensor, keys_BLGd: Tensor, visual_BL: Tensor, query_BL: Tensor, *, most: int | None = None
) -> Tensor:
    """How much the query positions attend to each visual token, `[B, L]` float32; 0 elsewhere.

    For each query position and head the softmax over all positions up to and including its own, then the mean over
    both, of which the visual tokens' share is given. So a sequence's scores sum to less than 1: text has the rest.
    Where no position queries, all scores are 0. No gradient: it only serves to choose.

    Args:
        queries_BLHd, keys_BLGd: of one attention layer, positions (rotary) applied; H a multiple of G. Padding, if
            any, lies behind the query positions.
        visual_BL: bool, where a visual token is.
        query_BL: bool: the last prompt token (inference), or the position just before the first supervised token of
            an answer (training). Any later one would show the choice what the answer says.
        most: the most query positions of any sequence, where known; default: counted, which takes a host sync.
    """
    batch, length, heads, width = queries_BLHd.shape
    if heads % keys_BLGd.shape[2]:
        raise ValueError(f"{heads} query heads are no multiple of {keys_BLGd.shape[2]} key heads")
    if most is None:
        most = int(query_BL.sum(dim=1).max()) if batch else 0
    # A few positions of thousands query: they are sorted to the front, and only they are multiplied.
    order_Bq = (~query_BL).to(torch.uint8).sort(dim=1, stable=True).indices[:, :most]
    keys_BGdL = keys_BLGd.float().permute(0, 2, 3, 1)
    position_L = torch.arange(length, device=visual_BL.device)
    total_BL = torch.zeros(batch, length, device=visual_BL.device)
    for first in range(0, most, QUERIES_PER_STEP):
        position_Bq = order_Bq[:, first : first + QUERIES_PER_STEP]
        queries_BqHd = queries_BLHd.gather(1, position_Bq[..., None, None].expand(-1, -1, heads, width)).float()
        queries_BGxd = queries_BqHd.unflatten(2, (keys_BGdL.shape[1], -1)).permute(0, 2, 1, 3, 4).flatten(2, 3)
        logits_BGqgL = (queries_BGxd @ keys_BGdL / width**0.5).unflatten(2, (position_Bq.shape[1], -1))
        future_BqL = position_L > position_Bq[..., None]
        share_BqL = logits_BGqgL.masked_fill(future_BqL[:, None, :, None], -torch.inf).softmax(dim=4).mean(dim=(1, 3))
        is_query_Bq1 = query_BL.gather(1, position_Bq)[..., None]
        total_BL += share_BqL.masked_fill(~is_query_Bq1, 0.0).sum(dim=1)
    return total_BL.masked_fill(~visual_BL, 0.0) / query_BL.sum(dim=1, keepdim=True).clamp(min=1)


def attention_keep(scores_BL: Tensor, visual_BL: Tensor, ratio: float, *, original_B: Tensor | None = None) -> Tensor:
    """Keeps each sequence's visual tokens with the highest scores, in their places.

    Args:
        scores_BL: of `attention_scores`; only those at visual tokens count. Of equal ones the first wins.
        visual_BL: bool, where a visual token is.
        ratio: share of the original visual tokens that stays.
        original_B: visual tokens each sequence started with; default: those in `visual_BL`.

    Returns:
        `[B, L]` bool: the visual tokens that stay.

    Raises:
        FloatingPointError: a visual token's score is NaN, so no choice among them means anything. Not checked in a
            compiled graph, which cannot look at values.
    """
    if not torch.compiler.is_compiling() and (scores_BL.isnan() & visual_BL).any():
        raise FloatingPointError("the attention scores of visual tokens are NaN: the hidden states are not finite")
    count_B = keep_count(visual_BL.sum(dim=1) if original_B is None else original_B, ratio)
    order_BL = scores_BL.masked_fill(~visual_BL, -torch.inf).sort(dim=1, descending=True, stable=True).indices
    rank_BL = torch.empty_like(order_BL).scatter_(
        1, order_BL, torch.arange(order_BL.shape[1], device=order_BL.device).expand_as(order_BL)
    )
    return visual_BL & (rank_BL < count_B[:, None])


def repack(hidden_BLW: Tensor, keep_BL: Tensor, *, length: int | None = None) -> Repacked:
    """Drops positions and closes the gaps; differentiable.

    Args:
        hidden_BLW: the layer's hidden states.
        keep_BL: bool, what stays: text and the visual tokens kept, no padding.
        length: of the result, where known (rows are cut there); default: the most kept in any sequence, which takes
            a host sync.
    """
    counts_B = keep_BL.sum(dim=1)
    if length is None:
        length = int(counts_B.max()) if len(counts_B) else 0
    order_Bl = (~keep_BL).to(torch.uint8).sort(dim=1, stable=True).indices[:, :length]
    place_l = torch.arange(order_Bl.shape[1], device=keep_BL.device)
    mask_Bl = place_l < counts_B[:, None]
    hidden_BlW = hidden_BLW.gather(1, order_Bl[..., None].expand(-1, -1, hidden_BLW.shape[2]))
    return Repacked(
        hidden_BlW * mask_Bl[..., None],
        place_l.expand_as(order_Bl) * mask_Bl,
        mask_Bl,
        order_Bl.masked_fill(~mask_Bl, -1),
    )
