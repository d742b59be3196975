"""Collective operations between the ranks of a training run, other than gradients."""

import torch.distributed as dist
from torch import Tensor


class Ranks:
    """Computes sums and unions over the ranks of the torch process group. All ranks must make the same calls.

    Args:
        world_size: number of ranks; with 1, no process group is needed.
    """

    def __init__(self, world_size: int) -> None:
        self._world_size = world_size

    def sum(self, value: Tensor) -> Tensor:
        """Sums a tensor over all ranks in place."""
        if self._world_size > 1:
            dist.all_reduce(value)
        return value

    def union(self, values: dict[str, str]) -> dict[str, str]:
        """Returns the entries of all ranks, sorted by key and so independent of the number of ranks."""
        gathered = [values] * self._world_size
        if self._world_size > 1:
            dist.all_gather_object(gathered, values)
        return dict(sorted(item for part in gathered for item in part.items()))
