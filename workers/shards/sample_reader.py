"""Reads samples from shards, one QA pair with its tokens at a time, by byte range and in a reproducible order.

At step t, rank r of W takes position t * W + r of the epoch's order (sample_order.py), which depends only on the ids of
the samples, the seed and the epoch. Hence the state of a training run is (epoch, samples consumed by all ranks), and it
can be resumed with another world size, or with the same samples packed into other shards.
"""

import hashlib
import logging
from collections.abc import Iterator
from functools import cached_property
from math import gcd
from typing import Any, Literal

from schemas.config import ConfigError
from schemas.rows import ClipsPlace, SamplePlace
from workers.shards.group import ShardError
from workers.shards.group_cache import GroupCache
from workers.shards.sample_order import epoch_order
from workers.shards.samples_table import ordered_samples
from workers.storage.store import Store

COLUMNS = ["split", *SamplePlace.__annotations__]
CLIP_COLUMNS = ["clips_offset", "clips_bytes"]

log = logging.getLogger("longvid.shards")


class SampleReader:
    """Iterates over the samples of one rank.

    A sample is a dict of `Group.sample`, with `video_id`, `sample_key`, `duration_s` (of the video), `epoch` and
    `position` in the epoch. Does not import torch: `workers.shards.reader` has the form for its data loaders.

    Args:
        store: store of the corpus.
        samples: the table `samples` or its path. To train on a subset, pass a filtered table of any type that
            `pyarrow.table` accepts. Only `COLUMNS` are read.
        split: the split to read; None reads all.
        rank, world_size: number of this process, and number of processes; all must be given the same samples.
        seed: seed of the order, which also depends on the ids of the samples and the epoch.
        interleaved_videos: number of videos from which samples are taken in turn; should be a multiple of the world
            size.
        shuffle: False takes the videos in the order of their ids, each from its first pair.
        drop_last: whether to drop the last positions of an epoch that not all ranks have, so that all ranks take the
            same number of steps.
        prefetch: number of samples whose groups are read in advance, in the background.
        on_damage: `raise`, or `skip` the samples of a damaged group, which is then logged and listed in `damaged`.
        verify: whether to compare each group with its checksums.
        clips: whether to read `clip_tokens` as well, if the corpus has them (`distill.hico`).

    Attributes:
        consumed: number of positions of the epoch that all ranks have consumed together, if they take equal steps.
        damaged: one dict per damaged group: shard, sample_key, detail, num_samples (of this rank).

    Raises:
        ValueError: `rank` or `interleaved_videos` is out of range.
        ConfigError: the split has no samples, or a column is missing or of the wrong type.
    """

    def __init__(
        self,
        store: Store,
        samples: Any = "tables/samples.parquet",
        *,
        split: str | None = "train",
        rank: int = 0,
        world_size: int = 1,
        seed: int = 0,
        epoch: int = 0,
        consumed: int = 0,
        interleaved_videos: int = 16,
        shuffle: bool = True,
        drop_last: bool = False,
        prefetch: int = 4,
        on_damage: Literal["raise", "skip"] = "raise",
        verify: bool = True,
        clips: bool = False,
    ) -> None:
        if not 0 <= rank < world_size:
            raise ValueError(f"rank = {rank}: must be in 0 .. {world_size - 1}, world_size being {world_size}")
        if interleaved_videos < 1:
            raise ValueError(f"interleaved_videos = {interleaved_videos}: must be at least 1")
        columns = [*COLUMNS, *(CLIP_COLUMNS if clips else ())]
        self._store, self._table = store, ordered_samples(samples, split, store, columns)
        self.rank, self.world_size, self.seed, self.interleaved_videos = rank, world_size, seed, interleaved_videos
        self.damaged: list[dict[str, Any]] = []
        self._shuffle, self._drop_last, self._prefetch = shuffle, drop_last, prefetch
        self._skip, self._verify, self._clips = on_damage == "skip", verify, clips
        self.seek(epoch, consumed)

    def seek(self, epoch: int, consumed: int = 0) -> None:
        """Moves to a position in an epoch, counted over all ranks."""
        if not 0 <= consumed <= self.num_samples:
            raise ValueError(f"consumed = {consumed}: the epoch has {self.num_samples} samples")
        self.epoch, self.consumed = epoch, consumed

    @property
    def num_samples(self) -> int:
        """Returns the number of samples in an epoch, over all ranks."""
        return int(self._table.num_rows)

    def __len__(self) -> int:
        """Returns the number of samples that this rank has left in the epoch."""
        return len(self._positions())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        share, shares = self.share()
        start, positions = self.consumed, self._positions()[share::shares]
        self._order = epoch_order(
            self._table["video_id"], self.seed, self.epoch, self.interleaved_videos, self._shuffle
        )
        stride = self.world_size * shares
        own_videos = self.interleaved_videos // gcd(self.interleaved_videos, stride)
        capacity = own_videos + self._prefetch + 1
        with GroupCache(self._store.root, capacity, verify=self._verify, clips=self._clips) as groups:
            for position in positions[: self._prefetch]:
                groups.prefetch(self._place(position))
            for step, position in enumerate(positions):
                for ahead in positions[step + self._prefetch : step + self._prefetch + 1]:
                    groups.prefetch(self._place(ahead))
                sample = self._sample(self._place(position), groups)
                self.consumed = min(start + (step + 1) * stride, self.num_samples)
                if sample is not None:
                    yield {**sample, "epoch": self.epoch, "position": position}

    def share(self) -> tuple[int, int]:
        """Returns which part of the rank's samples this process takes, and the number of parts."""
        return 0, 1

    def state_dict(self) -> dict[str, Any]:
        """Returns the state of the reader as plain values, equal on all ranks that have taken the same steps."""
        order = {"seed": self.seed, "interleaved_videos": self.interleaved_videos, "shuffle": self._shuffle}
        return {"epoch": self.epoch, "consumed": self.consumed, **order, "samples": self._fingerprint}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores a state that `state_dict` returned on any rank and with any world size.

        Raises:
            ConfigError: the samples differ from those of the state.
        """
        if self._fingerprint != state["samples"]:
            raise ConfigError(
                "the samples are not those that the state was saved with, so its place in the epoch means nothing: "
                f"give the same samples and split, or start with epoch = {state['epoch'] + 1}"
            )
        self.seed, self._shuffle = state["seed"], state["shuffle"]
        self.interleaved_videos = state["interleaved_videos" if "interleaved_videos" in state else "lanes"]
        self.seek(state["epoch"], state["consumed"])

    @cached_property
    def _fingerprint(self) -> str:
        return hashlib.sha256("\n".join(self._table["qa_id"].to_pylist()).encode()).hexdigest()

    def _positions(self) -> range:
        left = self.num_samples - self.consumed
        return range(
            self.consumed + self.rank,
            self.num_samples - (left % self.world_size if self._drop_last else 0),
            self.world_size,
        )

    def _place(self, position: int) -> ClipsPlace:
        place: ClipsPlace = self._table.slice(int(self._order[position]), 1).to_pylist()[0]
        return place

    def _sample(self, place: ClipsPlace, groups: GroupCache) -> dict[str, Any] | None:
        try:
            group, row = groups.get(place), place["row"]
            found = group.qa[row]["qa_id"] if 0 <= row < len(group.qa) else "missing"
            if found != place["qa_id"]:
                raise ShardError(
                    f"{place['shard']}: row {row} of group {place['sample_key']} is {found}, the table has "
                    f"{place['qa_id']} there: table and shard are of two builds. Build again."
                )
            sample = group.sample(row)
        except ShardError as error:
            if not self._skip:
                raise
            self._report(place, error)
            return None
        named = {"video_id": place["video_id"], "sample_key": place["sample_key"], "duration_s": place["duration_s"]}
        return {**sample, **named}

    def _report(self, place: ClipsPlace, error: Exception) -> None:
        for row in self.damaged:
            if (row["shard"], row["sample_key"]) == (place["shard"], place["sample_key"]):
                row["num_samples"] += 1
                return
        named = {"shard": place["shard"], "sample_key": place["sample_key"]}
        self.damaged.append({**named, "detail": str(error), "num_samples": 1})
        log.warning("skipping a damaged group: %s", error)
