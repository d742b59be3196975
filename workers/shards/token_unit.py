"""Reads distill units for later stages: mapped into memory, or only their small tensors."""

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from workers.shards.layout import INDEX_TENSORS, TOKEN_TENSORS, Shapes
from workers.storage.safetensors_file import Tensors, decode_tensors, read_tensors
from workers.storage.store import Store


@dataclass(frozen=True)
class TokenUnit:
    """Maps a distill unit into memory, whose checksum has not been verified yet."""

    path: str
    tensors: Tensors
    sha256: str
    """SHA-256 of the data according to the unit's metadata."""
    data: memoryview

    def verify(self, found: str = "") -> None:
        """Raises ValueError for a damaged unit. `found`: the SHA-256 of the tensors, if it is known already."""
        if found != self.sha256 and hashlib.sha256(self.data).hexdigest() != self.sha256:
            raise ValueError(f"{self.path}: the data differs from its checksum; delete the file and build again")


@contextmanager
def open_tokens(store: Store, path: str) -> Iterator[TokenUnit]:
    """Maps a distill unit, whose arrays use memory only when they are read. Raises ValueError for any other file."""
    with store.local(path) as file, file.open("rb") as stream:
        try:
            # Not closed explicitly: the mapping exists until its last array is deleted.
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            tensors, metadata = decode_tensors(mapped, verify=False)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; delete the file and build again") from None
        start = 8 + int.from_bytes(mapped[:8], "little")
        yield TokenUnit(path, tensors, metadata.get("sha256", ""), memoryview(mapped)[start:])


def read_index(store: Store, path: str) -> tuple[Shapes, Tensors]:
    """Returns types and shapes of a distill unit's tensors, and the tensors INDEX_TENSORS. Reads no tokens.

    Raises ValueError for a file that is no such unit.
    """
    try:
        with store.open(path) as stream:
            shapes, tensors = read_tensors(stream, INDEX_TENSORS)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; delete the file and build again") from None
    if missing := {*TOKEN_TENSORS} - shapes.keys():
        raise ValueError(f"{path}: tensors are missing: {', '.join(sorted(missing))}")
    return shapes, tensors
