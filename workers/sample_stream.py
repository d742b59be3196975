"""The order of samples over epochs and ranks, and a run's place in it."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

Read = Callable[[int, int, int], Iterator[dict[str, Any]]]
"""`(epoch, first, stride)`: samples `first`, `first + stride`, ... of the epoch's one order for all ranks."""


class SampleStream:
    """Batches of one rank. Sample i of the whole batch goes to rank i modulo `world_size`.

    So any number of ranks sees the same batches, and a run's place is two numbers. Epochs follow on each other without
    a gap: a batch may end one and begin the next, and none is ever short.

    Args:
        read: see `Read`.
        num_samples: of an epoch.
        batch_size: samples a batch, of all ranks together.
        samples_sha256: says which samples they are: a place in an epoch means nothing among others.
    """

    def __init__(
        self,
        read: Read,
        *,
        num_samples: int,
        batch_size: int,
        rank: int = 0,
        world_size: int = 1,
        samples_sha256: str = "",
    ) -> None:
        if batch_size % world_size:
            raise ValueError(f"batch_size = {batch_size}: must be a multiple of the number of workers, {world_size}")
        if num_samples < 1:
            raise ValueError("there is no sample to train on: build the corpus first, or choose another split")
        self.num_samples, self.samples_sha256 = num_samples, samples_sha256
        self._read, self._batch_size, self._rank, self._world_size = read, batch_size, rank, world_size
        self.seek(0, 0)

    def seek(self, epoch: int, samples_consumed: int) -> None:
        """Goes to a place: `samples_consumed` are those of the epoch, by all ranks."""
        self.epoch, self.samples_consumed = epoch, samples_consumed
        self._samples = self._from(epoch, samples_consumed + self._rank)

    def next_batch(self) -> list[dict[str, Any]]:
        """This rank's part of the next batch."""
        batch = list(islice(self._samples, self._batch_size // self._world_size))
        epochs, self.samples_consumed = divmod(self.samples_consumed + self._batch_size, self.num_samples)
        self.epoch += epochs
        return batch

    def _from(self, epoch: int, position: int) -> Iterator[dict[str, Any]]:
        while True:
            if position < self.num_samples:
                for sample in self._read(epoch, position, self._world_size):
                    position += self._world_size
                    yield sample
                if position < self.num_samples:
                    raise ValueError(
                        f"epoch {epoch} ended at sample {position} of {self.num_samples}: the shards hold less than "
                        "the table of samples says; run `longvid verify`"
                    )
            epoch, position = epoch + 1, position - self.num_samples
