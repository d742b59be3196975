"""Disk cache: copies of remote files on a node's disk, shared by its processes, so that a file is fetched once per
node.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from workers.storage.file_lock import is_deleted, lock, locked
from workers.storage.scratch import scratch_folder


class DiskCache:
    """Caches files that never change. A reader holds a shared lock on a copy, and only unlocked copies are evicted.

    Args:
        folder: folder of the cache; default: a scratch folder of the user on this node.
        max_bytes: maximum size of all copies. The least recently used are evicted first, those in use never. Default: a
            quarter of the disk.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int | None = None) -> None:
        self._folder = folder or scratch_folder("copies")
        self._max_bytes = max_bytes or shutil.disk_usage(self._folder).total // 4

    @contextmanager
    def use(self, key: str, fetch: Callable[[IO[bytes]], None]) -> Iterator[Path]:
        """Yields the path of the copy, valid inside the block; `fetch` writes it if it is missing.

        A key must always mean one content.
        """
        with self._held(key, fetch):
            yield self._folder / key

    def _held(self, key: str, fetch: Callable[[IO[bytes]], None]) -> IO[bytes]:
        copy = self._folder / key
        with locked(self._folder / f"{key}.lock"):
            while True:
                with suppress(FileNotFoundError):
                    file = copy.open("rb")
                    lock(file, shared=True)
                    if not is_deleted(file):
                        os.utime(copy)
                        return file
                    file.close()
                self._fetch(copy, fetch)

    def _fetch(self, copy: Path, fetch: Callable[[IO[bytes]], None]) -> None:
        part = copy.with_suffix(".part")
        with part.open("wb") as target:
            lock(target, shared=True)
            if is_deleted(target):
                return  # the caller tries again
            fetch(target)
            target.flush()
            part.replace(copy)
            self._clear()

    def _clear(self) -> None:
        """Deletes the least recently used copies while the total size exceeds the limit."""
        known = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                known.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        total = 0
        for _, size, path in sorted(known, reverse=True):
            total += size
            if path.suffix != ".lock" and total > self._max_bytes:
                with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
                    lock(file, wait=False)
                    path.unlink()
