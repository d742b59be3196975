"""Writes shards: deterministic tars, streamed, with the byte range of every member.

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
_GLOBAL_HEADER_BYTES = 2 * _BLOCK  # itself, and the key, which is far shorter than a block


class ShardWriter:
    """One tar, as a context, written front to back to a stream.

    The same members give the same bytes: time, owner and mode are fixed.

    Args:
        stream: takes bytes-like objects by `write`; the caller commits it.
        key: what the tar is written for, kept in its first header: see `shard_key`.
    """

    def __init__(self, stream: BinaryIO, key: str) -> None:
        self._stream, self._sha256, self.size_bytes = stream, hashlib.sha256(), 0
        # Hashing takes as long as writing: it runs beside it, one chunk at a time.
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
        """Of all bytes written so far, in hex."""
        if self._hashing:
            self._hashing.result()
        return self._sha256.hexdigest()

    def add(self, name: str, chunks: Iterable[bytes | memoryview]) -> tuple[int, int]:
        """Writes one member; gives the offset and the number of bytes of its data in the tar."""
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
    """What a member of this size takes in a tar, its header and padding included."""
    return _BLOCK + member_bytes + -member_bytes % _BLOCK


def archive_bytes(members: int) -> int:
    """Size of a tar whose members take `members` bytes in all."""
    size = _GLOBAL_HEADER_BYTES + members + 2 * _BLOCK
    return size + -size % tarfile.RECORDSIZE


def shard_key(store: Store, shard: str) -> str | None:
    """The key a shard was written for, from its first header; None where there is no such file or it is no shard."""
    if not store.exists(shard):
        return None
    with store.open(shard) as stream:
        # The global header, its data and the first member's header: a key is far shorter than a block.
        head = stream.read(8 * _BLOCK)
    try:
        with tarfile.open(fileobj=io.BytesIO(head), mode="r:") as tar:
            return tar.pax_headers.get("comment")
    except tarfile.TarError:
        return None


def encode_json(value: Any) -> bytes:
    """Canonical JSON with a line end, so that a member reads well after `tar xO`."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return (text + "\n").encode()
