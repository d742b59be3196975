"""Reads objects in s3:// and gs:// through pyarrow.fs, and interprets the errors of these services."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import fs

from schemas.rejects import BuildStopped, Reject
from workers.fetch.access import Access, uses_credentials
from workers.fetch.filesystems import filesystem_of
from workers.fetch.limits import FetchLimits
from workers.fetch.partial_file import PartialFile, RetryableError, State
from workers.fetch.urls import ObjectUrl, decoded

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
    """Reads an open object. Every call may raise an error.

    Reject: `not_found` or `refused`, with the error code of the service.
    RetryableError: `unreachable`, with the error code of the service or the network error.
    BuildStopped: the credentials are not accepted.
    """

    def __init__(self, url: ObjectUrl, access: Access) -> None:
        self._url, self._access = url, access
        with self._failures():
            self._fs = filesystem_of(url, access)
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
        filesystem_of(url, access).get_file_info(fs.FileSelector(f"{url.bucket}/{url.key}/none", allow_not_found=True))
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
