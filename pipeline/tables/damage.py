"""Names a file of a corpus that cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

UNREADABLE = (OSError, ValueError, pa.ArrowException)
"""What reading a damaged Parquet file raises."""


class DamagedFile(ValueError):
    """A file of a corpus cannot be read. The message contains its path and the remedy."""


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Raises DamagedFile, with the path, for what reading the file within it raises."""
    try:
        yield
    except UNREADABLE as error:
        raise DamagedFile(f"{path}: damaged ({error}). Delete it and run the build again.") from None
