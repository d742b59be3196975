"""Copies of remote files on a node's disk, shared by its processes: a video's segments fetch it once."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from workers.storage.file_lock import is_deleted, lock, locked
from workers.storage.scratch import scratch_folder


class DiskCache:
    """Who uses a copy holds a shared lock on it, which the system takes back from a process that dies; what nobody
    holds may go.

    Args:
        folder: by default one of the node's, of this user.
        max_bytes: of all copies; the ones used last stay, those in use always do. By default a quarter of the disk.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int | None = None) -> None:
        self._folder = folder or scratch_folder("copies")
        self._max_bytes = max_bytes or shutil.disk_usage(self._folder).total // 4

    @contextmanager
    def use(self, key: str, fetch: Callable[[IO[bytes]], None]) -> Iterator[Path]:
        """The copy's path for as long as the block lasts; `fetch` writes one that is not there. A key is for ever."""
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
        """Deletes what was not used for longest, where all together are too large."""
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
