"""Parses addresses of untrusted manifests once; code that opens an address takes the result and never parses again."""

import os
import posixpath
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    import httpx

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# A scheme without slashes, or a password before a host. A file with such a name must be written as `./NAME`.
_MISWRITTEN = re.compile(r"//|(https?|s3|gs|file):|[^/@\s:]+:[^/@\s]+@[^/@\s]+/", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_.-])?|[0-9a-f:.]*:[0-9a-f:.]*")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OPTIONS = re.compile(r"\?[A-Za-z0-9_.-]+=")


class UrlError(ValueError):
    """An address cannot be used. The message gives the reason and at most the scheme of the address."""


@dataclass(frozen=True)
class LocalUrl:
    """Names a file on this machine."""

    path: str


@dataclass(frozen=True)
class ObjectUrl:
    """Names an object in a bucket of `s3` or `gs`."""

    scheme: str
    bucket: str
    key: str
    """The key as the store lists it, not percent-encoded."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class HttpUrl:
    """Names a file on an `http` or `https` server."""

    url: "httpx.URL" = field(repr=False)

    @property
    def host(self) -> str:
        """Returns the host name in ASCII (IDNA)."""
        return self.url.raw_host.decode("ascii")

    @property
    def port(self) -> int:
        """Returns the port number, explicit or the default of the scheme."""
        return {"http": 80, "https": 443}[self.url.scheme] if self.url.port is None else self.url.port


Url = LocalUrl | ObjectUrl | HttpUrl


def parse_url(text: str) -> Url:
    """Parses a path, `file://`, `http(s)://`, `s3://` or `gs://` address.

    A key of `s3://` and `gs://` is taken as a listing shows it: `100% ä.mp4` is the object of that name.

    Raises:
        UrlError: the scheme is unknown, there are control characters or surrounding blanks, the host is missing, an
            object address has credentials or options, or its key is not canonical (`..`).
    """
    _check_characters(text)
    if found := _SCHEME.match(text):
        scheme, rest = found[1].lower(), text[found.end() :]
        if scheme == "file":
            return _local(text)
        if scheme in ("http", "https"):
            return _http(text)
        if scheme in ("s3", "gs"):
            return _object(scheme, rest)
        raise UrlError(f"{scheme[:20]}: unsupported scheme; use http, https, s3, gs or a local path")
    if "://" in text or _MISWRITTEN.match(text):
        raise UrlError("neither a path nor an address with a scheme; write the path of a file as ./PATH")
    return LocalUrl(text)


def join_url(folder: str, text: str) -> str:
    """Resolves an address of a manifest in `folder`.

    `file://` and relative paths become absolute paths or object addresses.

    Raises:
        UrlError: see `parse_url`; also if a relative path leaves the bucket of its manifest.
    """
    base, url = (_SCHEME.match(folder), parse_url(text))
    if not isinstance(url, LocalUrl):
        return text
    if base and not url.path.startswith("/"):
        bucket, _, prefix = folder[base.end() :].partition("/")
        key = posixpath.normpath(posixpath.join(prefix, url.path))
        if key.startswith("../"):
            raise UrlError("the path leaves the bucket of its manifest")
        return f"{base[0]}{bucket}/{key}"
    return os.path.normpath(posixpath.join(folder, url.path))


def decoded(url: ObjectUrl) -> ObjectUrl | None:
    """Returns the object with the percent-decoded key, or None if that is invalid.

    It is to be tried if the key does not exist as written.
    """
    try:
        other = parse_url(unquote(str(url)))
    except UrlError:
        return None
    return other if isinstance(other, ObjectUrl) and other != url else None


def _check_characters(text: str) -> None:
    if not text or text != text.strip():
        raise UrlError("an address must not be empty, nor begin or end with a blank")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise UrlError("it contains control characters")


def _local(text: str) -> LocalUrl:
    parts = _split(text)
    if parts.netloc.lower() not in ("", "localhost") or parts.query or parts.fragment:
        raise UrlError("file:// takes only a path on this machine; write `?` and `#` as %3F and %23")
    path = unquote(parts.path)
    if not path.startswith("/") or any(unicodedata.category(character) == "Cc" for character in path):
        raise UrlError("file:// takes an absolute path without control characters")
    return LocalUrl(path)


def _http(text: str) -> HttpUrl:
    import httpx  # which most commands never need

    # A percent sign that does not begin an escape is literal, as in browsers.
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    try:
        url = httpx.URL(text).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError):  # its message contains the address
        raise UrlError("not a valid http(s) address") from None
    parsed = HttpUrl(url)
    if not _HOST.fullmatch(parsed.host) or len(parsed.host) > 253 or not 0 < parsed.port < 1 << 16:
        raise UrlError("the host or the port is invalid")
    return parsed


def _object(scheme: str, rest: str) -> ObjectUrl:
    bucket, _, key = rest.partition("/")
    if "@" in bucket or (":" in bucket and "@" in key):
        raise UrlError(f"{scheme}:// takes no credentials: use those of the environment and download.buckets")
    if _OPTIONS.search(rest):
        raise UrlError(f"{scheme}:// takes no options such as endpoint_override")
    if not _BUCKET.fullmatch(bucket):
        raise UrlError(f"the bucket after {scheme}:// is missing or invalid")
    if not key or {"", ".", ".."} & {*key.split("/")}:
        raise UrlError("a key must not be empty or contain empty parts, `.` or `..`")
    return ObjectUrl(scheme, bucket, key)


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise UrlError("not a valid address") from None
