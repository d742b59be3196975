"""What all ranks of a training run tell each other besides gradients."""

import torch.distributed as dist
from torch import Tensor


class Ranks:
    """Sums and unions over the ranks of the torch process group. All ranks have to make the same calls.

    Args:
        world_size: how many there are; with 1 no process group is needed.
    """

    def __init__(self, world_size: int) -> None:
        self._world_size = world_size

    def sum(self, value: Tensor) -> Tensor:
        """The sum over all ranks, in place."""
        if self._world_size > 1:
            dist.all_reduce(value)
        return value

    def union(self, values: dict[str, str]) -> dict[str, str]:
        """The entries of all ranks, sorted by key, so that they are the same for any number of ranks."""
        gathered = [values] * self._world_size
        if self._world_size > 1:
            dist.all_gather_object(gathered, values)
        return dict(sorted(item for part in gathered for item in part.items()))
