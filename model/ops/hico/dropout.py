"""Progressive visual dropout of HiCo (VideoChat-Flash, arXiv 2501.00574): fewer visual tokens in deeper layers.

A shallow stage subsamples the visual tokens uniformly; a deep stage keeps those that the text attends to. The ratio of
a stage always refers to the visual tokens at the input of the model, so stages are independent of each other. The
published setting is layers [4, 18] with ratios [0.75, 0.25], first uniform, then by attention.

Sequences of different lengths share a batch by masks: all functions take and return masks and treat each sequence on
its own. `attention_keep` (check for NaN) and `repack` (new length) synchronise with the host.

Shapes: B sequences, L positions, H query heads, G key heads (G divides H), d head width, W model width.
"""

from typing import NamedTuple

import torch
from torch import Tensor

QUERIES_PER_STEP = 64
"""Query positions processed at once; bounds the memory of their attention rows."""


class Repacked(NamedTuple):
    """Holds a batch after tokens were dropped.

    Attributes:
        hidden: `[B, l, W]`, kept positions in order, followed by zeros.
        positions: `[B, l]` int64, 0, 1, 2, ... for rotary embeddings; 0 at the padding.
        mask: `[B, l]` bool, false at the padding.
        sources: `[B, l]` int64, original position of each; -1 at the padding. Use it to gather masks, labels and
            caches.
    """

    hidden: Tensor
    positions: Tensor
    mask: Tensor
    sources: Tensor


def keep_count(original_B: Tensor, ratio: float) -> Tensor:
    """Returns the number of visual tokens after a stage, `[B]`: `floor(ratio * original)`, but at least one of any.

    Raises:
        ValueError: `ratio` is not in (0, 1].
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio = {ratio}: must be a share of the original visual tokens, in (0, 1]")
    # In floating point, 0.29 * 100 is 28.99...; the intended count is 29.
    count_B = (original_B.double() * ratio + 1e-6).floor().long()
    return torch.maximum(count_B, (original_B > 0).long())


def uniform_keep(visual_BL: Tensor, ratio: float, *, original_B: Tensor | None = None) -> Tensor:
    """Subsamples the visual tokens of each sequence evenly: keeps those at `floor(linspace(0, n - 1, count))` of its n.

    Args:
        visual_BL: bool, positions of visual tokens.
        ratio: share of the original visual tokens to keep.
        original_B: number of visual tokens at the input of the model; default: those in `visual_BL`.

    Returns:
        `[B, L]` bool: visual tokens to keep, a subset of `visual_BL`. Combine it with the mask of the text.

    Raises:
        ValueError: `ratio` is not in (0, 1].
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
    """Returns how much the query positions attend to each visual token, `[B, L]` float32; 0 elsewhere.

    For each query position and head, attention is the softmax over all positions up to its own; scores are the mean
    over query positions and heads. The scores of a sequence sum to less than 1, since text receives the rest. Without
    query positions, all scores are 0. No gradient flows through the scores.

    Args:
        queries_BLHd: queries of an attention layer with rotary positions applied; H is a multiple of G. Padding must
            come after the query positions.
        keys_BLGd: keys of the same layer, with rotary positions applied.
        visual_BL: bool, positions of visual tokens.
        query_BL: bool, query positions: the last prompt token (inference), or the position before the first supervised
            token of an answer (training). A later position would leak the answer into the choice.
        most: maximum number of query positions per sequence, if known; otherwise it is counted, which takes a host
            sync.

    Raises:
        ValueError: H is no multiple of G.
    """
    batch, length, heads, width = queries_BLHd.shape
    if heads % keys_BLGd.shape[2]:
        raise ValueError(f"{heads} query heads are no multiple of {keys_BLGd.shape[2]} key heads")
    if most is None:
        most = int(query_BL.sum(dim=1).max()) if batch else 0
    # Only a few of thousands of positions are queries: sort them to the front and multiply only those.
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
    """Keeps the visual tokens with the highest scores in each sequence.

    Args:
        scores_BL: result of `attention_scores`. Ties are resolved in favour of the first position.
        visual_BL: bool, positions of visual tokens.
        ratio: share of the original visual tokens to keep.
        original_B: number of visual tokens at the input of the model; default: those in `visual_BL`.

    Returns:
        `[B, L]` bool: visual tokens to keep.

    Raises:
        FloatingPointError: the score of a visual token is NaN. Not checked in a compiled graph, which cannot read
            values.
        ValueError: `ratio` is not in (0, 1].
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
    """Removes dropped positions and closes the gaps; differentiable.

    Args:
        hidden_BLW: hidden states of a layer.
        keep_BL: bool, positions to keep: text and kept visual tokens, without padding.
        length: length of the result, if known (longer rows are cut); default: the longest row, which takes a host sync.
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
