"""Keeps the groups of interleaved videos in memory, and reads groups in advance in another thread."""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor

from schemas.rows import ClipsPlace
from workers.shards.group import Group, read_group
from workers.storage.store import Store


class GroupCache:
    """Caches the groups that were used last and those that are being read. Use it as a context manager.

    Args:
        root: root of the corpus. It is opened again, since a client of an object store does not survive the fork of a
            loader's worker.
        capacity: maximum number of groups.
        verify: whether to compare each group with its checksums.
        clips: whether to read clip tokens as well.
    """

    def __init__(self, root: str, capacity: int, *, verify: bool, clips: bool) -> None:
        self._store, self._capacity = Store(root), capacity
        self._options = {"verify": verify, "clips": clips}
        self._held: OrderedDict[tuple[str, str], Future[Group]] = OrderedDict()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> "GroupCache":
        return self

    def __exit__(self, *exc: object) -> None:
        # Without waiting: a generator that is dropped may be collected in the thread of the pool itself.
        self._pool.shutdown(wait=False, cancel_futures=True)

    def prefetch(self, place: ClipsPlace) -> Future[Group]:
        """Starts to read the group of a sample, unless it is held already."""
        key = (place["shard"], place["sample_key"])
        if key not in self._held:
            self._held[key] = self._pool.submit(read_group, self._store, place, **self._options)
        self._held.move_to_end(key)
        while len(self._held) > self._capacity:
            self._held.popitem(last=False)
        return self._held[key]

    def get(self, place: ClipsPlace) -> Group:
        """Returns the group of a sample. Raises ShardError."""
        return self.prefetch(place).result()
