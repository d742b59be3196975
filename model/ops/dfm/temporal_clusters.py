"""Temporal clustering of merged tokens to a fixed budget. An addition to ViLaMP.

The number of DFM tokens grows with the video: one per frame. Pooling every n frames would blur short events and spend
equally many tokens on static parts. Instead, neighbouring clusters are joined greedily by the smallest increase of the
squared error (Ward's criterion, restricted to temporal neighbours) until the budget is met, and each cluster is
represented by the mean of its tokens. The tokens belong to one query, so the query decides what counts as change.

Shapes: N frames, C width, R clusters.
"""

import heapq
from typing import NamedTuple

import torch
from torch import Tensor


class TemporalClusters(NamedTuple):
    """Holds clusters of consecutive frames that share one token each.

    Attributes:
        tokens: `[R, C]`, mean tokens in the type of the input.
        sizes: `[R]` int64, number of frames per cluster; they sum to N.
        cluster_of: `[N]` int64, cluster of each frame, ascending.
    """

    tokens: Tensor
    sizes: Tensor
    cluster_of: Tensor


@torch.no_grad()
def merge_temporal_clusters(tokens_NC: Tensor, budget: int) -> TemporalClusters:
    """Joins the merged tokens of one query into `min(budget, N)` temporal clusters.

    Runs on the CPU: N - budget joins, each O(C + log N). Ties are resolved in favour of the earliest pair.

    Args:
        tokens_NC: merged tokens in temporal order.
        budget: maximum number of clusters.

    Raises:
        ValueError: budget < 1, or tokens are not finite or not `[N, C]`.
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
    """Returns the first frame of each cluster."""
    num_frames = len(x_NC)
    mean_NC, size = x_NC.numpy().copy(), [1] * num_frames  # of the cluster that starts at a frame
    after = list(range(1, num_frames + 1))  # where the next cluster starts
    before = list(range(-1, num_frames - 1))
    version = [0] * num_frames  # incremented when a cluster changes, which marks older heap entries as stale
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
            exists = right < num_frames and size[left] > 0
            if exists and (version[left], version[right]) == (left_version, right_version):
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
