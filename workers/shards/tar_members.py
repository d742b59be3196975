"""Reads the members of untrusted tar files: nothing is decompressed, no size is believed before it is checked."""

import tarfile
from collections.abc import Callable, Iterator
from typing import Any

from workers.shards.group import ShardError

MAX_HEADER_BYTES = 1 << 16


def read_members(stream: Any, name: str, limit: Callable[[str], int | None]) -> Iterator[tuple[str, bytes]]:
    """Yields (member name, content) of a tar file; members that are not wanted are skipped without being read.

    Args:
        stream: seekable, with `size` as Arrow has it.
        name: of the file, for messages.
        limit: takes a member's name; gives the most bytes that it may have, or None for a member that is not wanted.

    Raises:
        ShardError: the file is no tar file, is cut short, or has a member that is no file, too large, or there twice.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(fileobj=_Headers(stream), mode="r:") as tar:  # type: ignore[call-overload]
            end = 0
            while member := tar.next():
                if member.offset < end or tar.offset <= member.offset:
                    raise ValueError("its headers lead back")  # which would be read for ever
                end = tar.offset
                tar.members.clear()  # tarfile would hold all of them
                most = limit(member.name)
                if most is None:
                    continue
                if member.name in seen or not member.isreg() or member.issparse():
                    raise ValueError(f"member {member.name!r} is there twice, or is no plain file")
                seen.add(member.name)
                if not 0 <= member.size <= most:
                    raise ValueError(f"member {member.name!r} has {member.size} bytes; {most} are allowed")
                if member.offset_data + member.size > stream.size():
                    raise ValueError("it is cut short")
                yield member.name, _read(stream, member.offset_data, member.size)
            # tarfile takes a damaged or zeroed header for the end. Only zeros, at least two blocks, are the end.
            rest = stream.size() - tar.offset
            if not 2 * tarfile.BLOCKSIZE <= rest <= MAX_HEADER_BYTES or any(_read(stream, tar.offset, rest)):
                raise ValueError(f"it is damaged or cut short at byte {tar.offset}")
    except (tarfile.TarError, ValueError, OSError, OverflowError, IndexError, RecursionError) as error:
        if isinstance(error, ShardError):
            raise
        raise ShardError(
            f"{name}: cannot be read: {str(error)[:300]}. Run `longvid verify` on the corpus, or get the shard anew"
        ) from None


def _read(stream: Any, offset: int, size: int) -> bytes:
    stream.seek(offset)  # not `read_at`, after which tarfile could not go on reading where it was
    return bytes(stream.read(size))


class _Headers:
    """The part of a stream that tarfile uses to read headers, which refuses to read what is too long for one."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise ValueError(f"a header of {size} bytes")
        return bytes(self._stream.read(size))
