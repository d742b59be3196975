"""Locks a corpus for one build at a time, and a training run for one call at a time."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from workers.storage.file_lock import lock
from workers.storage.store import Store


class CorpusBusy(ValueError):
    """Another build uses the corpus, or another call the training run."""


def only_build(store: Store) -> AbstractContextManager[None]:
    """Locks a corpus on a disk. The system releases the lock when the process ends; no file is left.

    Object stores and some network folders have no locks, so two concurrent builds are not detected there. They write
    the same units, each completely, but shards and tables are those of the last build, and one build may delete the
    markers by which the other detects a unit that crashes its worker.

    Raises:
        CorpusBusy: another build holds the lock.
    """
    return _held(store, "", "another build is at work there. Wait for it or end it, or give another --out")


def only_run(store: Store, folder: str) -> AbstractContextManager[None]:
    """Locks the folder of a training run, as `only_build` locks a corpus. Raises CorpusBusy."""
    return _held(store, folder, "this run is being trained. Wait for it or end it, or give train.run another name")


@contextmanager
def _held(store: Store, path: str, busy: str) -> Iterator[None]:
    if not store.is_local:
        yield
        return
    folder = Path(store.root, path)
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            lock(held, wait=False)
        except BlockingIOError:
            raise CorpusBusy(f"{folder}: {busy}") from None
        except OSError:  # a folder that cannot be locked
            pass
        yield
    finally:
        os.close(held)
