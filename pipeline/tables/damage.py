"""Names a file of a corpus that cannot be read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from pipeline.tables.workspace import read_batches
from workers.storage.store import Store

UNREADABLE = (OSError, ValueError, TypeError, KeyError, IndexError, pa.ArrowException)
"""What reading a damaged Parquet file raises, or one that lacks columns or rows."""


class DamagedFile(ValueError):
    """A file of a corpus cannot be read. The message contains its path and the remedy."""


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Raises DamagedFile, with the path, for what reading the file within it raises."""
    try:
        yield
    except UNREADABLE as error:
        raise DamagedFile(f"{path}: damaged ({error}). Delete it and run the build again.") from None


def damage_of(path: str, read: Callable[[], object]) -> str | None:
    """Returns the message of DamagedFile if a file cannot be read by `read`, else None."""
    try:
        with naming(path):
            read()
    except DamagedFile as damaged:
        return str(damaged)
    return None


def read_through(store: Store, path: str) -> None:
    """Reads a table in parts and keeps none of them, since a small file may hold more rows than the memory."""
    with store.open(path) as source:
        for _ in read_batches(source):
            pass
