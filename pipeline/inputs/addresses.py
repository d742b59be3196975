"""Addresses of a manifest: how they are resolved, when a file counts as changed, and what a corpus stores of them.

A corpus stores neither the secrets of an address nor folders of a machine, but a hash that distinguishes addresses.
"""

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.rejects import Reject
from workers.fetch.access import Access, allowed_path
from workers.fetch.redaction import fingerprinted
from workers.fetch.urls import LocalUrl, UrlError, join_url, parse_url

ADDRESSES = ("uri", "subtitles", "events_file")


def manifest_folder(path: str | Path) -> str:
    """Returns the folder that relative paths of a manifest are relative to."""
    return posixpath.dirname(str(path) if "://" in str(path) else str(Path(path).absolute()))


def is_remote(folder: str) -> bool:
    """Returns whether a manifest lies on an object store."""
    return "://" in folder


def as_written(address: str, folder: str) -> str:
    """Returns an address of a manifest in `folder` in a canonical form: `file://` becomes a path.

    An address that cannot be parsed is not changed.
    """
    try:
        url = parse_url(address)
    except UrlError:
        return address
    if not isinstance(url, LocalUrl) or (is_remote(folder) and not url.path.startswith("/")):
        return address
    path = posixpath.normpath(url.path)
    return path if _is_path(path) else f"./{path}"


def resolve(address: str, folder: str) -> str:
    """Returns the location of an address of a manifest in `folder`.

    One that cannot be parsed is returned unchanged, and cannot be opened.
    """
    try:
        return join_url(folder, address)
    except UrlError:
        return address


def allowed_location(address: str, folder: str, access: Access) -> str | None:
    """Returns the location of an address, with links resolved if paths are restricted.

    It is None for a local file that may not be read.
    """
    location = resolve(address, folder)
    if not _is_path(location):
        return location
    try:
        return allowed_path(location, access)
    except Reject:
        return None


def name_below(path: str, folder: str) -> str:
    """Returns an absolute path as a name that contains no folders of this machine."""
    return posixpath.relpath(path, folder) if path.startswith(f"{folder}/") else posixpath.basename(path)


def source_stamp(uri: str, sha256: str | None, folder: str, access: Access, ignored: Sequence[str]) -> str:
    """Returns a stamp that changes when the file of a video may have changed.

    It consists of the address and, for a local file, its size and modification time. A remote file with a checksum in
    the manifest is the same at any address.
    """
    is_local = _is_path(resolve(uri, folder))
    if sha256 and not is_local:
        return ""
    stamp = f" {_file_stamp(uri, folder, access)}" if is_local else ""
    return f"{fingerprint(uri, ignored)}{stamp}"


def annotation_stamp(addresses: Sequence[str], folder: str, access: Access, ignored: Sequence[str]) -> str:
    """Returns a stamp that changes when annotation files may have changed; the paths of local files do not matter."""
    return " ".join(
        _file_stamp(address, folder, access) if _is_path(resolve(address, folder)) else fingerprint(address, ignored)
        for address in addresses
    )


def fingerprint(address: str, ignored: Sequence[str]) -> str:
    """Returns an address in the form that a corpus stores.

    The function is idempotent, since plans are also made from the addresses stored in a corpus.
    """
    if address.startswith("/"):
        return f"{posixpath.basename(address)}#sha256={hashlib.sha256(address.encode()).hexdigest()[:32]}"
    return fingerprinted(address, ignored)


def fingerprint_addresses(table: pa.Table, ignored: Sequence[str]) -> pa.Table:
    """Returns a table of the manifest with the addresses in the form that a corpus stores."""
    return map_addresses(table, ADDRESSES, lambda address: address and fingerprint(address, ignored))


def map_addresses(table: pa.Table, columns: Iterable[str], function: Callable[[str], str | None]) -> pa.Table:
    """Applies a function to each address in some columns, which contain addresses or lists of them; null stays null."""

    def mapped(value: Any) -> Any:
        if isinstance(value, list):
            return [mapped(address) for address in value]
        return None if value is None else function(value)

    for name in columns:
        field = table.schema.field(name)
        values = pa.array(map(mapped, table[name].to_pylist()), field.type)
        table = table.set_column(table.schema.get_field_index(name), field, values)
    return table


def _file_stamp(address: str, folder: str, access: Access) -> str:
    location = allowed_location(address, folder, access)
    try:
        found = Path(location).stat() if location else None
    except (OSError, ValueError):
        found = None
    return f"{found.st_size}:{found.st_mtime_ns}" if found else "absent"


def _is_path(address: str) -> bool:
    try:
        return parse_url(address) == LocalUrl(address)
    except UrlError:
        return False
