"""Locks on files and folders (`flock`). The system releases a lock when its process ends, however it ends.

The library `filelock` is not used: it locks an open file exclusively only (`lock_descriptor`); its shared locks
(`ReadWriteLock`) are transactions of an SQLite database beside the file.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


def lock(file: int | IO[Any], *, shared: bool = False, wait: bool = True) -> None:
    """Locks an open file or folder until it is closed.

    Raises:
        BlockingIOError: another process holds a lock that excludes this one, and `wait` is false.
        OSError: the file system has no locks.
    """
    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))


def is_deleted(file: IO[Any]) -> bool:
    """Returns whether an open file has been deleted. Check after locking: the previous holder may have deleted it."""
    return os.fstat(file.fileno()).st_nlink == 0


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Holds an exclusive lock on the file `path`, which exists only as long as somebody holds or awaits the lock.

    Raises:
        BlockingIOError: another process holds the lock, and `wait` is false.
    """
    while True:
        with path.open("w") as file:
            lock(file, wait=wait)
            if is_deleted(file):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
