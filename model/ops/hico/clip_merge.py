"""Clip-level token merging of HiCo (VideoChat-Flash, arXiv 2501.00574): bipartite matching, parameter-free.

Until the target is reached: the even tokens (A) are matched to the odd ones (B); each A knows its most similar B; the r
A's with the best match are averaged into it, weighted by how many patches each token already stands for.

Shapes: B clips, T tokens, C width, H heads, r tokens merged away in a round.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Merged(NamedTuple):
    """What `merge_clips` found.

    Attributes:
        tokens: `[B, target, C]`.
        sizes: `[B, target]` float32, how many input tokens each stands for (they sum to T).
        sources: `[B, T]` int64, for each input token the output token it went into.
    """

    tokens: Tensor
    sizes: Tensor | None
    sources: Tensor | None


def schedule(num_tokens: int, target: int) -> list[int]:
    """How many tokens each round merges away: half of them at most. 784 tokens to 64: 392, 196, 98, 34."""
    rounds = []
    while num_tokens > target:
        rounds.append(min(num_tokens - target, num_tokens // 2))
        num_tokens -= rounds[-1]
    return rounds


def merge_clips(
    x_BTC: Tensor,
    *,
    heads: int,
    target: int = 64,
    return_sizes: bool = False,
    return_sources: bool = False,
    validate: bool = True,
) -> Tensor | Merged:
    """Merges each clip's tokens down to `target`.

    Args:
        x_BTC: the tokens of a clip's frames, frame after frame, row by row of the grid: any T.
        heads: of the encoder; tokens are compared by the mean of their heads, C / heads wide.
        target: tokens a clip afterwards. A clip that has no more is returned as it is.
        return_sizes, return_sources: return `Merged` with these filled in, to draw the merges.
        validate: look for NaN and zero tokens, which takes a host sync on a GPU.

    Returns:
        `[B, target, C]` in x's type (sums in float32), or `Merged`. A round's output has the unmerged A's, best match
        first, and then the B's. Of equal matches the lowest index wins.

    Raises:
        ValueError: target < 1, C is not a multiple of heads, or a token is NaN or zero in the mean of its heads.
    """
    if target < 1 or heads < 1 or x_BTC.ndim != 3 or x_BTC.shape[2] % heads:
        raise ValueError(
            f"x {list(x_BTC.shape)}, heads = {heads}, target = {target}: expected [clips, tokens, width] with a "
            "width that is a multiple of heads, and at least one head and one token"
        )
    batch, num_tokens, _ = x_BTC.shape
    rounds = schedule(num_tokens, target)
    x = x_BTC.float() if x_BTC.dtype in (torch.float16, torch.bfloat16) else x_BTC
    with torch.autocast(x.device.type, enabled=False):  # matches are decided in float32
        sources_BT = _sources(x, heads, rounds, validate=validate)
        sizes = _sum_by_place(x.new_ones(batch, num_tokens, 1), sources_BT, num_tokens - sum(rounds))
        tokens = x if not rounds else _sum_by_place(x, sources_BT, sizes.shape[1]) / sizes
    tokens = tokens.to(x_BTC.dtype)
    if not (return_sizes or return_sources):
        return tokens
    return Merged(tokens, sizes.squeeze(2) if return_sizes else None, sources_BT if return_sources else None)


@torch.no_grad()
def _sources(x_BTC: Tensor, heads: int, rounds: list[int], *, validate: bool) -> Tensor:
    """For each token the place of the one it ends up in, `[B, T]`.

    What is compared is linear in the tokens, so all rounds are played with it alone: sums stand for the size-weighted
    means, whose direction is the same, and the wide tokens are added up once at the end.
    """
    batch, num_tokens, _ = x_BTC.shape
    sources_BT = torch.arange(num_tokens, device=x_BTC.device).expand(batch, -1)
    if not rounds:
        return sources_BT
    metric_BTc = x_BTC.unflatten(2, (heads, -1)).mean(dim=2)
    if validate:
        _check_tokens(metric_BTc)
    for r in rounds:
        place_BT = _match(metric_BTc, r)
        sources_BT = place_BT.gather(1, sources_BT)
        metric_BTc = _sum_by_place(metric_BTc, place_BT, metric_BTc.shape[1] - r)
    return sources_BT


def _match(metric_BTc: Tensor, r: int) -> Tensor:
    """One round: for each token the place of the token it is part of afterwards, `[B, T]`."""
    batch, num_tokens, _ = metric_BTc.shape
    unit_BTc = torch.nn.functional.normalize(metric_BTc, dim=2)
    best_BA, match_BA = (unit_BTc[:, ::2] @ unit_BTc[:, 1::2].mT).max(dim=2)
    order_BA = best_BA.sort(dim=1, descending=True, stable=True).indices
    merged_Br, kept_BA = order_BA[:, :r], order_BA[:, r:]
    num_kept = kept_BA.shape[1]
    place_BA = torch.empty_like(order_BA)
    place_BA.scatter_(1, kept_BA, torch.arange(num_kept, device=order_BA.device).expand(batch, -1))
    place_BA.scatter_(1, merged_Br, num_kept + match_BA.gather(1, merged_Br))
    place_BT = torch.empty(batch, num_tokens, dtype=torch.int64, device=order_BA.device)
    place_BT[:, ::2] = place_BA
    place_BT[:, 1::2] = num_kept + torch.arange(num_tokens // 2, device=order_BA.device)
    return place_BT


def _sum_by_place(x_BTC: Tensor, place_BT: Tensor, num_places: int) -> Tensor:
    """Sums of the tokens that share a place, `[B, num_places, C]`, in an order that does not change from run to run."""
    batch, _, width = x_BTC.shape
    if x_BTC.device.type != "cpu":  # adding by index is atomic there, in any order
        return torch.nn.functional.one_hot(place_BT, num_places).to(x_BTC.dtype).mT @ x_BTC
    flat = (place_BT + torch.arange(batch)[:, None] * num_places).flatten()
    return (
        x_BTC.new_zeros(batch * num_places, width)
        .index_add(0, flat, x_BTC.flatten(0, 1))
        .unflatten(0, (batch, num_places))
    )


def _check_tokens(metric_BTc: Tensor) -> None:
    top_BT = torch.linalg.vector_norm(metric_BTc, float("inf"), dim=2)
    bad_BT = ~((top_BT > 0) & (top_BT < float("inf")))
    if bad_BT.any():
        clip, token = bad_BT.nonzero()[0].tolist()
        found = "zeros" if top_BT[clip, token] == 0 else "NaN or infinity"
        raise ValueError(
            f"x[{clip}, {token}] has {found} in the mean of its heads: its cosine is undefined. Encode it again"
        )
