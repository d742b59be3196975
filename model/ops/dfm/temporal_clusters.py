"""A merging beyond ViLaMP's for a fixed budget: tokens go to the stretches of the video that change.

DFM's budget grows with the video, one token a frame; the usual way to cut it is to pool every n frames, which blurs
what is short and spends as much on what stands still. Here neighbouring runs of frames are joined, the pair first whose
join adds least squared error (Ward's criterion, kept to neighbours in time), until the budget is met; a run is told by
the mean of its tokens. Tokens are those of one query, so what counts as change is what the query asks for.

Shapes: N frames, C width, R runs.
"""

import heapq
from typing import NamedTuple

import torch
from torch import Tensor


class TemporalClusters(NamedTuple):
    """Consecutive frames that share a token.

    Attributes:
        tokens: `[R, C]`, the means, in the type of the input.
        sizes: `[R]` int64, frames in each run; they sum to N.
        cluster_of: `[N]` int64, the run of each frame, ascending.
    """

    tokens: Tensor
    sizes: Tensor
    cluster_of: Tensor


@torch.no_grad()
def merge_temporal_clusters(tokens_NC: Tensor, budget: int) -> TemporalClusters:
    """Joins one query's merged tokens into `min(budget, N)` runs.

    On the host: N - budget joins one after another, each O(C + log N). Of equal joins the earliest goes first.

    Args:
        tokens_NC: in temporal order.
        budget: tokens that may remain.

    Raises:
        ValueError: budget < 1, or tokens that are not `[N, C]` and finite.
    """
    if budget < 1 or tokens_NC.ndim != 2 or not bool(tokens_NC.isfinite().all()):
        raise ValueError(
            f"tokens {list(tokens_NC.shape)}, budget = {budget}: expected finite tokens [N, C] and a budget >= 1"
        )
    starts_R = _starts(tokens_NC.detach().to("cpu", torch.float64), budget)
    num_frames = tokens_NC.shape[0]
    sizes_R = torch.tensor([*starts_R, num_frames]).diff()
    cluster_of_N = torch.arange(len(starts_R)).repeat_interleave(sizes_R).to(tokens_NC.device)
    sums_RC = tokens_NC.new_zeros(len(starts_R), tokens_NC.shape[1], dtype=torch.float64)
    sums_RC.index_add_(0, cluster_of_N, tokens_NC.double())
    sizes_R = sizes_R.to(tokens_NC.device)
    return TemporalClusters((sums_RC / sizes_R[:, None]).to(tokens_NC.dtype), sizes_R, cluster_of_N)


def _starts(x_NC: Tensor, budget: int) -> list[int]:
    """First frame of each run."""
    num_frames = len(x_NC)
    mean_NC, size = x_NC.numpy().copy(), [1] * num_frames  # of the run that starts at a frame
    after = list(range(1, num_frames + 1))  # where the next run starts
    before = list(range(-1, num_frames - 1))
    version = [0] * num_frames  # counts what happened to a run: an older entry of the heap is stale
    steps = 0.5 * ((mean_NC[1:] - mean_NC[:-1]) ** 2).sum(axis=1)
    heap = [(cost, left, 0, 0) for left, cost in enumerate(steps.tolist())]
    heapq.heapify(heap)

    def offer(left: int, right: int) -> None:
        gap = mean_NC[left] - mean_NC[right]
        cost = size[left] * size[right] / (size[left] + size[right]) * float(gap @ gap)
        heapq.heappush(heap, (cost, left, version[left], version[right]))

    for _ in range(num_frames - budget):
        while True:
            _, left, left_version, right_version = heapq.heappop(heap)
            right = after[left]
            alive = right < num_frames and size[left] > 0
            if alive and (version[left], version[right]) == (left_version, right_version):
                break
        total = size[left] + size[right]
        mean_NC[left] += (mean_NC[right] - mean_NC[left]) * (size[right] / total)
        size[left], size[right] = total, 0
        version[left] += 1
        version[right] += 1
        after[left] = after[right]
        if after[left] < num_frames:
            before[after[left]] = left
            offer(left, after[left])
        if before[left] >= 0:
            offer(before[left], left)
    return [start for start in range(num_frames) if size[start]]
