"""The order of samples over epochs and ranks, and the position of a run in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from schemas.config import ConfigError
from workers.shards.sample_reader import SampleReader
from workers.storage.store import Store

Read = Callable[[int, int, int], Iterator[dict[str, Any]]]
"""`(epoch, first, stride)`: samples `first`, `first + stride`, ... of the epoch's one order for all ranks."""


@dataclass(frozen=True, kw_only=True)
class SampleSet:
    """Holds the set of samples on which a run trains."""

    num_samples: int
    """Number of samples of an epoch, at least 1."""
    sha256: str
    """Digest of their ids, since a position in an epoch is only valid for the same samples."""
    token_width: int
    """C, the width of a visual token."""


class SampleStream:
    """Yields the batches of one rank. Sample i of the whole batch goes to rank i modulo `world_size`.

    So any number of ranks sees the same batches, and a run's place is two numbers. Epochs follow on each other without
    a gap: a batch may end one and begin the next, and none is ever short.

    Args:
        read: see `Read`.
        samples: which samples `read` gives.
        batch_size: samples per batch, of all ranks together.
    """

    def __init__(self, read: Read, samples: SampleSet, *, batch_size: int, rank: int = 0, world_size: int = 1) -> None:
        if batch_size % world_size:
            raise ValueError(f"batch_size = {batch_size}: must be a multiple of the number of workers, {world_size}")
        self.samples = samples
        self._read, self._batch_size, self._rank, self._world_size = read, batch_size, rank, world_size
        self.seek(0, 0)

    def seek(self, epoch: int, samples_consumed: int) -> None:
        """Moves to a position. `samples_consumed` counts the samples of the epoch, over all ranks.

        Raises ConfigError for a position that no epoch has, such as one of a forged checkpoint.
        """
        if samples_consumed >= self.samples.num_samples:
            raise ConfigError(
                f"samples_consumed = {samples_consumed}: the epoch has {self.samples.num_samples}; give another run"
            )
        self.epoch, self.samples_consumed = epoch, samples_consumed
        self._samples = self._from(epoch, samples_consumed + self._rank)

    def next_batch(self) -> list[dict[str, Any]]:
        """Returns this rank's part of the next batch."""
        batch = list(islice(self._samples, self._batch_size // self._world_size))
        epochs, self.samples_consumed = divmod(self.samples_consumed + self._batch_size, self.samples.num_samples)
        self.epoch += epochs
        return batch

    def _from(self, epoch: int, position: int) -> Iterator[dict[str, Any]]:
        num_samples = self.samples.num_samples
        while True:
            if position < num_samples:
                for sample in self._read(epoch, position, self._world_size):
                    position += self._world_size
                    yield sample
                if position < num_samples:
                    raise ValueError(
                        f"epoch {epoch} ended at sample {position} of {num_samples}: the shards hold less than the "
                        "table of samples says; run `longvid verify`"
                    )
            epoch, position = epoch + 1, position - num_samples


def shard_samples(store: Store, table: pa.Table, split: str, seed: int) -> tuple[Read, SampleSet]:
    """Returns the set of samples of a split. Reads one of them. Raises ValueError if the split has none."""

    def read(epoch: int, first: int, stride: int) -> Iterator[dict[str, Any]]:
        # The reader's rank is a remainder: where an epoch begins within a batch, another one than the process has.
        rank = first % stride
        return iter(
            SampleReader(
                store, table, split=split, rank=rank, world_size=stride, seed=seed, epoch=epoch, consumed=first - rank
            )
        )

    reader = SampleReader(store, table, split=split, seed=seed, interleaved_videos=1, prefetch=0)
    width = next(iter(reader))["merged_tokens"].shape[1]
    return read, SampleSet(num_samples=reader.num_samples, sha256=reader.state_dict()["samples"], token_width=width)
