"""Clip-level token merging of HiCo (VideoChat-Flash, arXiv 2501.00574): bipartite matching without parameters.

Each round splits the tokens into even (A) and odd positions (B) and matches every A to its most similar B. The r tokens
of A with the best matches are averaged into them, weighted by the number of input tokens that each represents. Rounds
repeat until the target is reached.

    position   0   1   2   3   4   5          r = 1, the best match is 2 -> 5
    set        A   B   A   B   A   B   ->     kept A: 0, 4   B: 1, 3, (2+5)

Shapes: B clips, T tokens, C width, H heads, r tokens merged per round.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Merged(NamedTuple):
    """Holds merged tokens and how they came about.

    Attributes:
        tokens: `[B, target, C]`.
        sizes: `[B, target]` float32, number of input tokens in each output token; they sum to T.
        sources: `[B, T]` int64, output token of each input token.
    """

    tokens: Tensor
    sizes: Tensor | None
    sources: Tensor | None


def schedule(num_tokens: int, target: int) -> list[int]:
    """Returns the number of tokens merged per round, at most half of them. 784 tokens to 64: 392, 196, 98, 34."""
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
    """Merges the tokens of each clip down to `target`.

    Args:
        x_BTC: tokens of a clip's frames, frame by frame and row by row; T is arbitrary.
        heads: attention heads of the encoder. Tokens are compared by the mean over their heads, C / heads wide.
        target: number of tokens per clip afterwards. A clip with at most that many is returned unchanged.
        return_sizes: whether to return `Merged` with `sizes`.
        return_sources: whether to return `Merged` with `sources`.
        validate: whether to check for zero and non-finite tokens, which takes a host sync on a GPU.

    Returns:
        `[B, target, C]` in the type of x (sums in float32), or `Merged`. The output of a round has the unmerged tokens
        of A, best match first, followed by those of B. Ties are resolved in favour of the lowest index.

    Raises:
        ValueError: target < 1, C is not a multiple of heads, or the mean over the heads of a token is zero or not
            finite.
    """
    if target < 1 or heads < 1 or x_BTC.ndim != 3 or x_BTC.shape[2] % heads:
        raise ValueError(
            f"x {list(x_BTC.shape)}, heads = {heads}, target = {target}: expected [clips, tokens, width] with a "
            "width that is a multiple of heads, and at least one head and one token"
        )
    batch, num_tokens, _ = x_BTC.shape
    rounds = schedule(num_tokens, target)
    x = x_BTC.float() if x_BTC.dtype in (torch.float16, torch.bfloat16) else x_BTC
    with torch.autocast(x.device.type, enabled=False):  # compare tokens in float32
        sources_BT = _sources(x, heads, rounds, validate=validate)
        sizes = _sum_by_place(x.new_ones(batch, num_tokens, 1), sources_BT, num_tokens - sum(rounds))
        tokens = x if not rounds else _sum_by_place(x, sources_BT, sizes.shape[1]) / sizes
    tokens = tokens.to(x_BTC.dtype)
    if not (return_sizes or return_sources):
        return tokens
    return Merged(tokens, sizes.squeeze(2) if return_sizes else None, sources_BT if return_sources else None)


@torch.no_grad()
def _sources(x_BTC: Tensor, heads: int, rounds: list[int], *, validate: bool) -> Tensor:
    """Returns the output position of each input token, `[B, T]`.

    The compared vectors are linear in the tokens, so all rounds are computed on them alone: sums have the same
    direction as size-weighted means, and the wide tokens are added up only once at the end.
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
    """Computes one round: the position of each token afterwards, `[B, T]`."""
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
    """Sums tokens that share a position, `[B, num_places, C]`, in an order that is the same in every run."""
    batch, _, width = x_BTC.shape
    if x_BTC.device.type != "cpu":  # index_add is not deterministic there
        return torch.nn.functional.one_hot(place_BT, num_places).to(x_BTC.dtype).mT @ x_BTC
    flat = (place_BT + torch.arange(batch)[:, None] * num_places).flatten()
    sums: Tensor = x_BTC.new_zeros(batch * num_places, width).index_add(0, flat, x_BTC.flatten(0, 1))
    return sums.view(batch, num_places, width)


def _check_tokens(metric_BTc: Tensor) -> None:
    top_BT = torch.linalg.vector_norm(metric_BTc, float("inf"), dim=2)
    bad_BT = ~((top_BT > 0) & (top_BT < float("inf")))
    if bad_BT.any():
        clip, token = bad_BT.nonzero()[0].tolist()
        found = "zeros" if top_BT[clip, token] == 0 else "NaN or infinity"
        raise ValueError(
            f"x[{clip}, {token}]: the mean over its heads has {found}, so no cosine is defined. Encode the clip again"
        )
