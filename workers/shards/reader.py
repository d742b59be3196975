"""The samples of shards as a data set of PyTorch."""

from typing import Any

from torch.utils.data import IterableDataset, get_worker_info

from workers.shards.sample_reader import SampleReader


class ShardReader(SampleReader, IterableDataset[dict[str, Any]]):
    """Reads samples for a PyTorch DataLoader, whose workers take parts of the rank's samples.

    The state of this object then does not change, since they iterate over copies: count the samples that have arrived,
    over all ranks, and `seek` to that number, or use a loader that keeps the state of each copy (torchdata's
    StatefulDataLoader).
    """

    def share(self) -> tuple[int, int]:
        """Returns which part of the rank's samples this process takes, and the number of parts."""
        worker = get_worker_info()
        return (worker.id, worker.num_workers) if worker else (0, 1)
