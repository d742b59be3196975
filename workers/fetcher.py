"""Fetches a file from http(s), s3 or gs: resumes where it stopped, whole or not at all, and only from where it may.

A fetch lies in a folder of its own: `data` grows, `state.json` says what it is a part of. Killed at any moment, the
next fetch asks the server for the rest, under the condition that the file is still the same one.
"""

import email.utils
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pyarrow as pa
import tenacity
from pyarrow import fs

from schemas.rejects import Reject
from workers.addresses import redacted, resolve
from workers.host_gate import HostGate

_BLOCK = 1 << 20
_MAX_REDIRECTS = 10
_WINDOW_S = 30.0
# What is no media whatever its name says; unknown types go on to the probe.
_REFUSED_TYPES = ("text/html", "application/xhtml", "application/json", "application/xml", "text/xml", "text/css")
_PLAYLIST_TYPES = ("mpegurl", "dash+xml", "smil", "scpls")


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """What one fetch may take."""

    max_bytes: int
    max_seconds: float
    attempts: int = 6
    backoff_s: float = 1.0
    """First wait between attempts; doubles, with jitter, up to a minute. A server's Retry-After goes before it."""
    max_retry_after_s: float = 300.0
    """A server that asks for a longer pause is given up."""
    timeout_s: float = 30.0
    """To connect, and between two packets."""
    min_bytes_per_s: int = 1024
    """Over 30 s; a slower source is given up."""
    per_host: int = 4
    """Fetches from one host at once, of all processes on a node."""
    allow_private_addresses: bool = False
    user_agent: str = "longvid"


class _Again(Exception):
    """This attempt failed; another may not."""

    def __init__(self, reason: str, detail: str, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.wait_s = reason, detail, wait_s


def fetch(uri: str, folder: Path, limits: FetchLimits) -> Path:
    """Fetches `uri` whole, after what an earlier call left in `folder`; gives the file.

    Raises:
        Reject: `unreachable`, `not_found`, `refused`, `too_large`, `incomplete`, `not_a_video` (a type of content
            that is no media). No message holds credentials or a query string.
    """
    scheme = urlsplit(uri).scheme.lower()
    sources = {"http": _http, "https": _http, "s3": _object, "gs": _object}
    if scheme not in sources:
        raise Reject("refused", f"{scheme}: is no scheme to fetch from; use http, https, s3, gs or a local path")
    folder.mkdir(parents=True, exist_ok=True)
    partial, host, gate = _Partial(folder, limits), urlsplit(uri).hostname or "", HostGate(limits.per_host)
    if partial.state().get("complete"):
        return partial.data

    def attempt() -> None:
        with gate.slot(host):
            try:
                partial.start()
                sources[scheme](uri, partial, limits)
            except _Again as failure:
                if failure.wait_s:
                    gate.pause(host, failure.wait_s)
                raise

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(limits.attempts),
        wait=_wait(limits),
        retry=tenacity.retry_if_exception_type(_Again),
        reraise=True,
    )
    try:
        retrying(attempt)
    except (_Again, Reject) as failure:
        raise Reject(failure.reason, f"{redacted(uri)}: {failure.detail}") from None
    partial.note(complete=1)
    return partial.data


def _wait(limits: FetchLimits) -> tenacity.wait.wait_base:
    exponential = tenacity.wait_exponential_jitter(initial=limits.backoff_s, max=60.0, jitter=limits.backoff_s)

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.wait_s if isinstance(failure, _Again) else None
        return max(asked, 0.0) if asked is not None else exponential(state)

    return wait


class _Partial:
    """The part of a file that is here, and which file it is a part of."""

    def __init__(self, folder: Path, limits: FetchLimits) -> None:
        self.data, self._state, self._limits = folder / "data", folder / "state.json", limits
        self._deadline: float | None = None

    def start(self) -> None:
        """Sets the clock going, once: waiting for a turn is no fault of the source."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._limits.max_seconds
        elif time.monotonic() > self._deadline:
            raise Reject("incomplete", f"not here after download.max_seconds = {self._limits.max_seconds:g}")

    def size(self) -> int:
        return self.data.stat().st_size if self.data.exists() else 0

    def state(self) -> dict:
        """What `data` is a part of: `validator` and such, and `complete` once it is whole."""
        try:
            return json.loads(self._state.read_bytes())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def restart(self, **state: str | int) -> None:
        self.data.write_bytes(b"")
        self.note(**state)

    def note(self, **state: str | int) -> None:
        temporary = self._state.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self._state)

    def append(self, blocks: Iterator[bytes], expected: int | None) -> None:
        """Raises _Again where fewer bytes come than expected; Reject `too_large` or `incomplete` (a crawl)."""
        size = self.size()
        window_start, window_bytes = time.monotonic(), 0
        with self.data.open("ab") as file:
            for block in blocks:
                size += len(block)
                if size > self._limits.max_bytes:
                    raise Reject("too_large", f"more than download.max_bytes = {self._limits.max_bytes}")
                if expected is not None and size > expected:
                    raise Reject("incomplete", f"the source sends more than the {expected} bytes it promised")
                file.write(block)
                window_bytes += len(block)
                now = time.monotonic()
                if now > self._deadline:
                    raise Reject("incomplete", f"{size} bytes in download.max_seconds = {self._limits.max_seconds:g}")
                if now - window_start > _WINDOW_S:
                    if window_bytes < self._limits.min_bytes_per_s * (now - window_start):
                        raise Reject("incomplete", f"slower than {self._limits.min_bytes_per_s} bytes a second")
                    window_start, window_bytes = now, 0
        if expected is not None and size < expected:
            raise _Again("incomplete", f"{size} of {expected} bytes arrived")


def _http(uri: str, partial: _Partial, limits: FetchLimits) -> None:
    validator = partial.state().get("validator", "")
    have = partial.size() if validator else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": limits.user_agent}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    timeout = httpx.Timeout(limits.timeout_s)
    try:
        with httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client:
            response = _open(client, uri, headers, limits)
            try:
                _receive(response, have, validator, partial, limits)
            finally:
                response.close()
    except (httpx.TransportError, socket.gaierror) as error:
        reason = "incomplete" if partial.size() else "unreachable"
        raise _Again(reason, f"{type(error).__name__} after {partial.size()} bytes") from None
    except (httpx.InvalidURL, ValueError) as error:
        raise Reject("refused", f"no usable address ({type(error).__name__})") from None


def _open(client: httpx.Client, uri: str, headers: dict, limits: FetchLimits) -> httpx.Response:
    """The response after all redirects, each to an address that may be asked."""
    for _ in range(_MAX_REDIRECTS + 1):
        url = httpx.URL(uri)
        if url.scheme not in ("http", "https") or not url.host:
            raise Reject("refused", f"a redirect to {url.scheme}: is not followed")
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        address = resolve(url.host, port, limits.allow_private_addresses)
        # To the address that was checked, under the name that was asked for.
        request = client.build_request(
            "GET",
            url.copy_with(host=address, fragment=None),
            headers={**headers, "Host": url.netloc.rpartition(b"@")[2].decode("ascii")},
            extensions={"sni_hostname": url.host},
        )
        response = client.send(request, stream=True, auth=_credentials(url))
        if not response.is_redirect:
            return response
        response.close()
        uri = urljoin(uri, response.headers["location"])
    raise Reject("unreachable", f"more than {_MAX_REDIRECTS} redirects")


def _credentials(url: httpx.URL) -> httpx.BasicAuth | None:
    return httpx.BasicAuth(url.username, url.password) if url.username else None


def _receive(response: httpx.Response, have: int, validator: str, partial: _Partial, limits: FetchLimits) -> None:
    total = _checked(response, have, limits)
    if response.status_code == 416:
        if total == have and have:
            return  # all of it was here already
        partial.restart()
        raise _Again("incomplete", f"the source has not the {have} bytes that were fetched from it", wait_s=0)
    if total is not None and total > limits.max_bytes:
        raise Reject("too_large", f"{total} bytes, above download.max_bytes = {limits.max_bytes}")
    if response.status_code == 206:
        start = _range_start(response)
        if start != have:
            partial.restart()
            raise _Again("incomplete", f"asked for bytes from {have}, got them from {start}", wait_s=0)
    else:
        partial.restart(validator=_validator(response))
    # Raw: what a server compresses although asked not to is refused, so nothing is ever unpacked.
    partial.append(response.iter_raw(), total)


def _checked(response: httpx.Response, have: int, limits: FetchLimits) -> int | None:
    """The length of the whole file by the response's headers. Raises where the response is no file."""
    status, headers = response.status_code, response.headers
    if status in (404, 410):
        raise Reject("not_found", f"HTTP {status}")
    if status in (401, 403, 451):
        raise Reject("refused", f"HTTP {status}: the source gives it to others only")
    if status in (408, 425, 429) or status >= 500:
        raise _Again("unreachable", f"HTTP {status}", _retry_after(headers, limits))
    content_range = headers.get("content-range", "")
    if status == 416:
        return _number(content_range.rpartition("/")[2])
    if status not in (200, 206) or (status == 206 and not have):
        raise Reject("unreachable", f"HTTP {status}")
    if headers.get("content-encoding", "identity") != "identity":
        raise Reject("refused", f"compressed as {headers['content-encoding'][:40]}, although asked not to")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(_REFUSED_TYPES) or any(word in kind for word in _PLAYLIST_TYPES):
        raise Reject("not_a_video", f"the source sends {kind[:60]}")
    if status == 206:
        return _number(content_range.rpartition("/")[2])
    return _number(headers.get("content-length", ""))


def _retry_after(headers: httpx.Headers, limits: FetchLimits) -> float | None:
    """Seconds a server asks to wait, in either form of the header. Raises Reject where that is too long."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    seconds = _number(value)
    if seconds is None:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    if seconds > limits.max_retry_after_s:
        raise Reject("unreachable", f"the source asks to wait {seconds:.0f} s")
    return float(seconds)


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _range_start(response: httpx.Response) -> int | None:
    unit, _, span = response.headers.get("content-range", "").partition(" ")
    return _number(span.partition("-")[0]) if unit.lower() == "bytes" else None


def _validator(response: httpx.Response) -> str:
    """What a later request for the rest is bound to; a weak ETag says too little for that (RFC 9110, 13.1.5)."""
    etag = response.headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("last-modified", "")


def _object(uri: str, partial: _Partial, limits: FetchLimits) -> None:
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
        raise _Again("unreachable", type(error).__name__) from None


def _object_blocks(filesystem: fs.FileSystem, path: str, start: int) -> Iterator[bytes]:
    try:
        with filesystem.open_input_file(path) as source:
            source.seek(start)
            while block := source.read(_BLOCK):
                yield block
    except OSError as error:
        raise _Again("unreachable", type(error).__name__) from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One fetch of a file at a time on a node; the lock goes with its process, whatever becomes of that."""
    while True:
        file = path.open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        # The one before may have removed the file while this one waited for it.
        if path.exists() and os.fstat(file.fileno()).st_ino == path.stat().st_ino:
            break
        file.close()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()
