"""Decides which addresses of a manifest may be opened, and with whose credentials.

Everything that opens an address of a manifest (`fetch`, `read_bytes`, `open_local`) passes it through `check` first.
"""

import errno
import os
import stat
from dataclasses import dataclass, field
from io import BufferedReader

from schemas.rejects import Reject
from workers.fetch.urls import LocalUrl, ObjectUrl, Url, UrlError, parse_url


@dataclass(frozen=True, kw_only=True)
class Access:
    """Says what the addresses of a manifest may reach."""

    local_files: bool = True
    """Whether files on this machine may be read."""
    root: str = ""
    """Folder that contains all local files that may be read, after resolving symbolic links. Empty: no restriction."""
    buckets: tuple[str, ...] = ()
    """Buckets and prefixes (`s3://bucket`, `gs://bucket/folder`) that are read with credentials; others are read
    anonymously.
    """
    allow_private_addresses: bool = False
    """Whether hosts in private, loopback and link-local networks may be reached."""
    proxy: str = field(default="", repr=False)
    """`http://host:port` of the proxy for http, https and s3; empty: none."""
    ca_bundle: str = ""
    """File of certificates that servers are verified against, instead of those of certifi."""


def check(address: str, access: Access) -> Url:
    """Parses an address and checks that it may be opened. Hosts are resolved and checked when a connection is made.

    Raises:
        Reject: `refused` for an invalid address and for a local file that may not be read.
    """
    try:
        url = parse_url(address)
    except UrlError as error:
        raise Reject("refused", str(error)) from None
    if isinstance(url, LocalUrl):
        return LocalUrl(allowed_path(url.path, access))
    return url


def allowed_path(path: str, access: Access) -> str:
    """Returns the path, or the file it resolves to if `access.root` is set.

    Raises:
        Reject: `refused` if the file may not be read.
    """
    if not access.local_files:
        raise Reject(
            "refused",
            "it is a file on this machine; set download.allow_local_files if the manifest may name such files",
        )
    if not access.root:
        return path
    try:
        found, root = os.path.realpath(path), os.path.realpath(access.root)
    except (OSError, ValueError):  # ValueError: a NUL
        raise Reject("refused", "the path cannot be resolved") from None
    if os.path.commonpath([found, root]) != root:
        raise Reject("refused", "the file lies outside download.root")
    return found


def open_local(url: LocalUrl) -> BufferedReader:
    """Opens a regular file for reading.

    Raises:
        Reject: `not_found` if there is no regular file that can be read.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe would block forever.
        file = os.fdopen(os.open(url.path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except OSError as error:
        cause = "no such file" if error.errno == errno.ENOENT else os.strerror(error.errno or 0)
        raise Reject("not_found", f"{cause[0].lower()}{cause[1:]}") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Reject("not_found", "it is not a regular file")
    return file


def short_name(path: str) -> str:
    """Returns the last part of a path for messages, which must not contain folders of this machine."""
    return path.rpartition("/")[2][:100]


def uses_credentials(url: ObjectUrl, access: Access) -> bool:
    """Returns whether an object lies in a bucket, or below a prefix, that is read with credentials."""
    return any(f"{url}/".startswith(f"{bucket.rstrip('/')}/") for bucket in access.buckets)
