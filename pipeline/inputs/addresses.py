"""The addresses of a manifest: where they lead, what tells a changed file, and how a corpus keeps them.

A corpus keeps no secrets of an address and no folders of a machine; a hash of the whole tells two addresses apart.
"""

import hashlib
import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.rejects import Reject
from workers.fetch.access import Access, allowed_path
from workers.fetch.redaction import fingerprinted
from workers.fetch.urls import LocalUrl, UrlError, join_url, parse_url

ADDRESSES = ("uri", "subtitles", "events_file")


def manifest_folder(path: str | Path) -> str:
    """The folder that relative paths of a manifest count from."""
    return posixpath.dirname(str(path) if "://" in str(path) else str(Path(path).absolute()))


def is_remote(folder: str) -> bool:
    """Whether a manifest lies on an object store."""
    return "://" in folder


def as_said(address: str, folder: str) -> str:
    """What a manifest in `folder` says, in one form: `file://` becomes a path. What cannot be parsed stays as it is."""
    try:
        url = parse_url(address)
    except UrlError:
        return address
    if not isinstance(url, LocalUrl) or (is_remote(folder) and not url.path.startswith("/")):
        return address
    path = posixpath.normpath(url.path)
    return path if _is_path(path) else f"./{path}"


def resolve(address: str, folder: str) -> str:
    """Where an address of a manifest in `folder` leads. One that cannot be parsed stays so, and nothing opens it."""
    try:
        return join_url(folder, address)
    except UrlError:
        return address


def allowed_location(address: str, folder: str, access: Access) -> str | None:
    """Where an address leads, links of a confined path followed; None for a local file that may not be read."""
    location = resolve(address, folder)
    if not _is_path(location):
        return location
    try:
        return allowed_path(location, access)
    except Reject:
        return None


def name_below(path: str, folder: str) -> str:
    """An absolute path as a name that tells nothing of this machine."""
    return posixpath.relpath(path, folder) if path.startswith(f"{folder}/") else posixpath.basename(path)


def source_stamp(uri: str, sha256: str | None, folder: str, access: Access, ignored: Sequence[str]) -> str:
    """What changes when a video's file may have: the address, for a local file its size and time of change, too.

    A remote file with a checksum in the manifest is the same wherever it lies.
    """
    is_local = _is_path(resolve(uri, folder))
    if sha256 and not is_local:
        return ""
    stamp = f" {_file_stamp(uri, folder, access)}" if is_local else ""
    return f"{fingerprint(uri, ignored)}{stamp}"


def annotation_stamp(addresses: Sequence[str], folder: str, access: Access, ignored: Sequence[str]) -> str:
    """What changes when annotation files may have; where local ones lie makes no difference."""
    return " ".join(
        _file_stamp(address, folder, access) if _is_path(resolve(address, folder)) else fingerprint(address, ignored)
        for address in addresses
    )


def fingerprint(address: str, ignored: Sequence[str]) -> str:
    """An address as a corpus keeps it. Of what a corpus keeps, it is the same: plans are made from that."""
    if address.startswith("/"):
        return f"{posixpath.basename(address)}#sha256={hashlib.sha256(address.encode()).hexdigest()[:32]}"
    return fingerprinted(address, ignored)


def fingerprint_addresses(table: pa.Table, ignored: Sequence[str]) -> pa.Table:
    """A table of the manifest as a corpus keeps it."""

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(address) for address in value]
        return value and fingerprint(value, ignored)

    for name in ADDRESSES:
        column = table.schema.get_field_index(name)
        values = pa.array(map(kept, table[name].to_pylist()), table.schema.field(column).type)
        table = table.set_column(column, table.schema.field(column), values)
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
