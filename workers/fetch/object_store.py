"""Objects in s3:// and gs:// through pyarrow.fs, read with credentials if configured, else anonymously."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from schemas.config import ConfigError
from schemas.rejects import BuildStopped, Reject
from workers.fetch.access import Access, uses_credentials
from workers.fetch.partial_file import FetchLimits, PartialFile, RetryableError, State
from workers.fetch.redaction import redacted, scrub_secrets
from workers.fetch.urls import ObjectUrl, decoded

_ROOT_OPTIONS = re.compile(r"\?[a-z_]+=.*$")
_BLOCK = 8 << 20  # a request per block
_AWS = re.compile(
    r"AWS Error (\w+)(?: \(HTTP status (\d+)\))? during \w+ operation: (?:[^:]*ExceptionName: (\w+))?(.*)"
)
_GCS = re.compile(r"google::cloud::Status\((\w+): (.*?) error_info=\{reason=(\w*)")
_REFUSED = {"AccessDenied", "AllAccessDisabled", "InvalidObjectState", "PermissionDenied", "forbidden"}
_MISSING = {"NoSuchKey", "NoSuchBucket", "ResourceNotFound", "notFound", "HTTP 404"}
# Errors that concern all objects read with these credentials, until the user renews or corrects them.
_CREDENTIALS = {
    *("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    *("RequestTimeTooSkewed", "RequestExpired", "UnrecognizedClient", "InvalidClientTokenId", "authError"),
    *("Unauthenticated", "NoAccessToken"),
}


class OpenObject:
    """An open object. Every call may raise an error.

    Reject: `not_found` or `refused`, with the error code of the service.
    RetryableError: `unreachable`, with the error code of the service or the network error.
    BuildStopped: the credentials are not accepted.
    """

    def __init__(self, url: ObjectUrl, access: Access) -> None:
        self._url, self._access = url, access
        with self._failures():
            self._fs = _filesystem(url, access)
            self._path = f"{url.bucket}/{url.key}"
            self._stream = self._fs.open_input_stream(self._path)
            facts = {k.lower(): v.decode("latin1") for k, v in (self._stream.metadata() or {}).items()}
        self.size = int(facts.get("content-length") or facts["size"])
        self.version: State = {
            "validator": facts.get("generation") or facts.get("etag", ""),
            "total": self.size,
        }
        """Identifies this version of the object."""

    def __enter__(self) -> "OpenObject":
        return self

    def __exit__(self, *exc: object) -> None:
        self._stream.close()

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes."""
        with self._failures():
            return bytes(self._stream.read(size))

    def blocks(self, start: int) -> Iterator[bytes]:
        """Yields the content from byte `start` on."""
        if start:
            with self._failures():
                self._stream.close()
                self._stream = self._fs.open_input_file(self._path)
                self._stream.seek(start)
        while block := self.read(_BLOCK):
            yield block

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise Reject("not_found", "no such object") from None
        except pa.ArrowInvalid:
            raise Reject("refused", "the key of the object cannot be used") from None
        except OSError as error:
            raise _failure(error, self._url, self._access) from None


def open_object(url: ObjectUrl, access: Access) -> OpenObject:
    """Opens an object. If its key does not exist as written, the percent-decoded key is tried."""
    try:
        return OpenObject(url, access)
    except Reject as rejected:
        other = decoded(url)
        if rejected.reason != "not_found" or not other:
            raise
    return OpenObject(other, access)


def receive_object(url: ObjectUrl, partial: PartialFile, limits: FetchLimits, known: State | None = None) -> bool:
    """Makes one attempt to complete a partial file.

    Returns:
        False if the object is still the version `known`, else True.

    Raises:
        Reject: `too_large`, or as `OpenObject`.
        RetryableError: as `OpenObject`.
        BuildStopped: as `OpenObject`.
    """
    with open_object(url, limits.access) as found:
        if found.version == known:
            return False
        if found.size > limits.max_bytes:
            raise Reject("too_large", f"{found.size} bytes, above download.max_bytes = {limits.max_bytes}")
        if partial.state() != found.version:
            partial.restart(**found.version)
        with partial.appending(found.size) as write:
            for block in found.blocks(partial.size()):
                write(block)
    return True


def named_folder(address: str) -> tuple[fs.FileSystem, str]:
    """Returns the file system of an `s3://`, `gs://` or `file://` folder named by the user, and the path in it.

    The credentials of the environment are used. A key is taken literally; Arrow options (`?endpoint_override=...`) may
    follow.

    Raises:
        ConfigError: the address cannot be used.
    """
    scheme, _, rest = address.partition("://")
    key = ""
    if scheme in ("s3", "gs"):
        options = _ROOT_OPTIONS.search(rest)
        bucket, slash, key = rest[: options.start() if options else None].partition("/")
        key, rest = slash + key, f"{bucket}{options[0] if options else ''}"
    try:
        filesystem, base = fs.FileSystem.from_uri(f"{scheme}://{rest}")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"{redacted(address)}: cannot be used: {scrub_secrets(str(error), address)}") from None
    return filesystem, f"{base}{key}".rstrip("/")


def _filesystem(url: ObjectUrl, access: Access) -> fs.FileSystem:
    if url.scheme == "gs":
        return _gcs(uses_credentials(url, access))
    # Only the environment can set another service; a manifest cannot.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return _s3(url.bucket, uses_credentials(url, access), access.proxy, access.ca_bundle, endpoint)


@lru_cache(maxsize=256)
def _gcs(credentials: bool) -> fs.FileSystem:
    return fs.GcsFileSystem(anonymous=not credentials, retry_time_limit=timedelta(seconds=30))


@lru_cache(maxsize=256)
def _s3(bucket: str, credentials: bool, proxy: str, ca_bundle: str, endpoint: str) -> fs.FileSystem:
    server = urlsplit(endpoint)
    return fs.S3FileSystem(
        anonymous=not credentials,
        # The region lookup does not use the proxy; behind one, set AWS_REGION.
        region=None if endpoint or proxy else fs.resolve_s3_region(bucket),
        scheme=server.scheme or None,
        endpoint_override=server.netloc + server.path.rstrip("/") or None,
        proxy_options=proxy or None,
        tls_ca_file_path=ca_bundle or None,
    )


def _failure(error: OSError, url: ObjectUrl, access: Access) -> Exception:
    message = str(error)
    if "No response body" in message:  # HEAD responses have no error code, listings do
        message = _listing_error(url, access) or message
    code, cause = _code(message)
    detail = ": ".join(filter(None, [code, cause]))
    own = uses_credentials(url, access)
    if code in _CREDENTIALS and own:
        return BuildStopped(
            f"{url.scheme}://{url.bucket}: the credentials are not accepted ({detail}). Renew them (or the clock) and "
            "run the same command again; it continues where it stopped."
        )
    if code in _REFUSED | _CREDENTIALS or "(HTTP status 403)" in message:
        hint = f"; it was read anonymously: to use credentials, add {url.scheme}://{url.bucket} to download.buckets"
        return Reject("refused", detail + ("" if own else hint))
    if code in _MISSING:
        return Reject("not_found", detail)
    return RetryableError("unreachable", detail)


def _listing_error(url: ObjectUrl, access: Access) -> str:
    try:
        _filesystem(url, access).get_file_info(fs.FileSelector(f"{url.bucket}/{url.key}/none", allow_not_found=True))
    except OSError as error:
        return str(error)
    return ""


def _code(message: str) -> tuple[str, str]:
    """Returns the error code of the service (`AccessDenied`, `SlowDown`, ...), or the cause of a network error."""
    if found := _AWS.search(message):
        name, status, other, cause = found.groups()
        if name == "NETWORK_CONNECTION":
            return "", cause.partition(", ")[2].partition(";")[0][:200] or "the connection broke"
        return other or (f"HTTP {status}" if name == "UNKNOWN" else name.title().replace("_", "")), ""
    if found := _GCS.search(message):
        status, cause, reason = found.groups()
        if "OAuth2 access token" in cause:
            return "NoAccessToken", ""
        network = re.search(r"CURL error \[\d+\]=([\w ]+)", cause)
        return ("", network[1]) if network else (reason or status.title().replace("_", ""), "")
    return "", "the connection failed"
