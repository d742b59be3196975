"""Writes shards as deterministic, streamed tar files, and returns the byte range of every member.

What the members are is told in layout.py.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from workers.storage.store import Store

_BLOCK = tarfile.BLOCKSIZE
_GLOBAL_HEADER_BYTES = 2 * _BLOCK  # the header, and the key, which is much shorter than a block


class ShardWriter:
    """Writes a tar file sequentially to a stream, as a context manager.

    The same members give the same bytes: time, owner and mode are fixed.

    Args:
        stream: takes bytes-like objects by `write`; the caller commits it.
        key: what the tar is written for, kept in its first header: see `shard_key`.
    """

    def __init__(self, stream: BinaryIO, key: str) -> None:
        self._stream, self._sha256, self.size_bytes = stream, hashlib.sha256(), 0
        # Hashing takes as long as writing, therefore another thread hashes one chunk at a time.
        self._hasher = ThreadPoolExecutor(1)
        self._hashing: Future[None] | None = None
        self._write(tarfile.TarInfo.create_pax_global_header({"comment": key}))

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, kind: type | None, *exc: object) -> None:
        try:
            if kind is None:
                self._end()
        finally:
            self._hasher.shutdown()

    @property
    def sha256(self) -> str:
        """Returns the SHA-256 of all bytes written so far, in hex."""
        if self._hashing:
            self._hashing.result()
        return self._sha256.hexdigest()

    def add(self, name: str, chunks: Iterable[bytes | memoryview]) -> tuple[int, int]:
        """Writes one member, and returns offset and number of bytes of its data in the tar."""
        views = [memoryview(chunk).cast("B") for chunk in chunks if len(chunk)]
        info = tarfile.TarInfo(name)
        info.size, info.mode = sum(len(view) for view in views), 0o644
        self._write(info.tobuf(tarfile.PAX_FORMAT))
        offset = self.size_bytes
        for view in views:
            self._write(view)
        self._write(bytes(-info.size % _BLOCK))
        return offset, info.size

    def _end(self) -> None:
        """Writes the end of the archive, to a full record as tar does."""
        self._write(bytes(2 * _BLOCK))
        self._write(bytes(-self.size_bytes % tarfile.RECORDSIZE))

    def _write(self, data: bytes | memoryview) -> None:
        if self._hashing:
            self._hashing.result()
        self._hashing = self._hasher.submit(self._sha256.update, data)
        self._stream.write(data)
        self.size_bytes += memoryview(data).nbytes


def tar_bytes(member_bytes: int) -> int:
    """Returns the size of a member in a tar, with header and padding."""
    return _BLOCK + member_bytes + -member_bytes % _BLOCK


def archive_bytes(members: int) -> int:
    """Returns the size of a tar whose members have `members` bytes in total, with headers and padding."""
    size = _GLOBAL_HEADER_BYTES + members + 2 * _BLOCK
    return size + -size % tarfile.RECORDSIZE


def shard_key(store: Store, shard: str) -> str | None:
    """Returns the key in the first header of a shard; None if the file does not exist or is not a shard."""
    if not store.exists(shard):
        return None
    with store.open(shard) as stream:
        # The global header, its data and the first member's header: a key is much shorter than a block.
        head = stream.read(8 * _BLOCK)
    try:
        with tarfile.open(fileobj=io.BytesIO(head), mode="r:") as tar:
            return tar.pax_headers.get("comment")
    except tarfile.TarError:
        return None


def encode_json(value: Any) -> bytes:
    """Returns canonical JSON with a line end, which makes the output of `tar xO` readable."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return (text + "\n").encode()
