"""One build at a time in a corpus, and one call at a time on a training run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.storage.file_lock import lock
from workers.storage.store import Store


class CorpusBusy(ValueError):
    """Another build is at work in the corpus, or another call on the training run."""


@contextmanager
def only_build(store: Store) -> Iterator[None]:
    """Holds a corpus on a disk; the lock goes with its process, however that ends, and leaves no file.

    An object store has no locks, nor have some network folders: there two builds at once are not noticed. They write
    the same units, each whole, but the shards and tables are those of the last, and one may take the markers by which
    the other knows a unit that kills its worker.

    Raises:
        CorpusBusy: another build holds it.
    """
    with _held(store, "", "another build is at work there. Wait for it or end it, or give another --out"):
        yield


@contextmanager
def only_run(store: Store, folder: str) -> Iterator[None]:
    """Holds the folder of a training run, as `only_build` holds a corpus. Raises CorpusBusy."""
    with _held(store, folder, "this run is being trained. Wait for it or end it, or give train.run another name"):
        yield


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
