"""The one guard: which of the addresses in a manifest may be opened, and with whose credentials.

Whatever opens an address of a manifest (`fetch`, `read_bytes`, `open_local`) takes it through `check`.
"""

import errno
import os
import stat
from dataclasses import dataclass, field
from typing import BinaryIO

from schemas.rejects import Reject
from workers.fetch.urls import HttpUrl, LocalUrl, ObjectUrl, Url, UrlError, parse_url


@dataclass(frozen=True, kw_only=True)
class Access:
    """What the addresses of a manifest may reach."""

    local_files: bool = True
    """Files of this machine."""
    root: str = ""
    """A folder: local files are those below it, symbolic links followed. Empty: any."""
    buckets: tuple[str, ...] = ()
    """Buckets and prefixes (`s3://bucket`, `gs://bucket/folder`) that are read with credentials; others anonymously."""
    allow_private_addresses: bool = False
    """Hosts of private, loopback and link-local networks."""
    proxy: str = field(default="", repr=False)
    """`http://host:port` that http, https and s3 go through."""
    ca_bundle: str = ""
    """A file of the certificates that servers are checked by, in place of those of certifi."""


def check(address: str, access: Access) -> Url:
    """Parses an address; the result may be opened. Hosts are looked up, and refused, when they are connected to.

    Raises Reject: `refused` for an address that cannot be used, and for a local file that may not be read.
    """
    try:
        url = parse_url(address)
    except UrlError as error:
        raise Reject("refused", str(error)) from None
    if isinstance(url, LocalUrl):
        return LocalUrl(allowed_path(url.path, access))
    return url


def allowed_path(path: str, access: Access) -> str:
    """The path, or the file that it leads to where `access.root` confines it. Raises Reject: `refused`."""
    if not access.local_files:
        raise Reject("refused", "a file of this machine; set download.allow_local_files if the manifest may name them")
    if not access.root:
        return path
    try:
        found, root = os.path.realpath(path), os.path.realpath(access.root)
    except (OSError, ValueError):  # ValueError: a NUL
        raise Reject("refused", "no path that can be followed") from None
    if os.path.commonpath([found, root]) != root:
        raise Reject("refused", "the file lies outside download.root")
    return found


def open_local(url: LocalUrl) -> BinaryIO:
    """A regular file, open for reading. Raises Reject: `not_found` where there is none that can be read."""
    try:
        # Opened without waiting: a named pipe would hold the reader up for ever.
        file = os.fdopen(os.open(url.path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except OSError as error:
        cause = "no such file" if error.errno == errno.ENOENT else os.strerror(error.errno or 0)
        raise Reject("not_found", f"{cause[0].lower()}{cause[1:]}") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Reject("not_found", "no regular file")
    return file


def short_name(path: str) -> str:
    """The last part of a path, for messages: where a file lies on this machine is nobody's business."""
    return path.rpartition("/")[2][:100]


def uses_credentials(url: ObjectUrl, access: Access) -> bool:
    """Whether an object lies in one of the buckets, or below one of the prefixes, that are read with credentials."""
    return any(f"{url}/".startswith(f"{bucket.rstrip('/')}/") for bucket in access.buckets)


def host_of(url: Url) -> str:
    """The name under which fetches count together: a host or a bucket."""
    return url.host if isinstance(url, HttpUrl) else url.bucket if isinstance(url, ObjectUrl) else ""
