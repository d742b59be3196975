"""Files from s3:// and gs://, through pyarrow.fs."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from schemas.rejects import Reject
from workers.fetch.partial_file import Again, FetchLimits, PartialFile

_BLOCK = 1 << 20


def receive_object(uri: str, partial: PartialFile, limits: FetchLimits) -> None:
    """One attempt to make a partial file whole. Raises Again or Reject."""
    parts = urlsplit(uri)
    if parts.query and not limits.allow_private_addresses:
        raise Reject("refused", "options in an object's address (endpoint_override, ...) could lead anywhere")
    filesystem, path, info = _object_info(uri)
    if info.type != fs.FileType.File:
        raise Reject("not_found", "no such object")
    if info.size > limits.max_bytes:
        raise Reject("too_large", f"{info.size} bytes, above download.max_bytes = {limits.max_bytes}")
    same = {"size": info.size, "mtime_ns": info.mtime_ns}
    if partial.state() != same:
        partial.restart(**same)
    partial.append(_object_blocks(filesystem, path, partial.size()), info.size)


def _object_info(uri: str) -> tuple[fs.FileSystem, str, fs.FileInfo]:
    try:
        filesystem, path = fs.FileSystem.from_uri(uri)
        return filesystem, path, filesystem.get_file_info(path)
    except (pa.ArrowInvalid, ValueError) as error:
        raise Reject("refused", f"no usable address ({type(error).__name__})") from None
    except OSError as error:
        raise Again("unreachable", type(error).__name__) from None


def _object_blocks(filesystem: fs.FileSystem, path: str, start: int) -> Iterator[bytes]:
    try:
        with filesystem.open_input_file(path) as source:
            source.seek(start)
            while block := source.read(_BLOCK):
                yield block
    except OSError as error:
        raise Again("unreachable", type(error).__name__) from None
