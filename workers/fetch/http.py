"""Files from http(s): every address is looked at before it is asked, after redirects too."""

import email.utils
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any
from urllib.parse import urljoin

import httpx

from schemas.rejects import Reject
from workers.fetch.host_limiter import HostGate
from workers.fetch.partial_file import Again, FetchLimits, PartialFile
from workers.fetch.urls import resolve

_MAX_REDIRECTS = 10
# What is no media whatever its name says; unknown types go on to the probe.
_REFUSED_TYPES = (
    *("text/html", "application/xhtml", "application/json", "application/xml", "text/xml", "text/css"),
    *("text/javascript", "application/javascript", "application/pdf", "image/", "font/"),
)
_PLAYLIST_TYPES = ("mpegurl", "dash+xml", "smil", "scpls")


def receive_http(uri: str, partial: PartialFile, limits: FetchLimits, gate: HostGate) -> None:
    """One attempt to make a partial file whole. Raises Again or Reject."""
    timeout = httpx.Timeout(limits.timeout_s)
    try:
        with httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client:
            _follow(client, uri, partial, limits, gate)
    except (httpx.TransportError, socket.gaierror) as error:
        partial.check_time()  # a connection that was cut for its time looks like any broken one
        reason = "incomplete" if partial.size() else "unreachable"
        raise Again(reason, f"{type(error).__name__} after {partial.size()} bytes") from None
    except (httpx.InvalidURL, ValueError) as error:
        raise Reject("refused", f"no usable address ({type(error).__name__})") from None


def _follow(client: httpx.Client, uri: str, partial: PartialFile, limits: FetchLimits, gate: HostGate) -> None:
    """Receives the file after all redirects. Each host is asked in its own turn, and only one turn is held at once."""
    for _ in range(_MAX_REDIRECTS + 1):
        url = httpx.URL(uri)
        if url.scheme not in ("http", "https") or not url.host:
            raise Reject("refused", f"a redirect to {url.scheme}: is not followed")
        with gate.slot(url.host) as waited_s:
            partial.start(waited_s)
            try:
                location = _ask(client, url, partial, limits)
            except Again as failure:
                if failure.wait_s:
                    gate.pause(url.host, failure.wait_s)
                raise
        if location is None:
            return
        uri = urljoin(uri, location)
    raise Reject("unreachable", f"more than {_MAX_REDIRECTS} redirects")


def _ask(client: httpx.Client, url: httpx.URL, partial: PartialFile, limits: FetchLimits) -> str | None:
    """Receives the file, or gives where it lies instead."""
    validator = partial.state().get("validator", "")
    have = partial.size() if validator else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": limits.user_agent}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    address = resolve(url.host, port, limits.allow_private_addresses)
    with _cut_in_time(partial) as trace:
        # To the address that was checked, under the name that was asked for.
        request = client.build_request(
            "GET",
            url.copy_with(host=address, fragment=None),
            headers={**headers, "Host": url.netloc.rpartition(b"@")[2].decode("ascii")},
            extensions={"sni_hostname": url.host, "trace": trace},
        )
        with closing(client.send(request, stream=True, auth=_credentials(url))) as response:
            if response.has_redirect_location:
                return response.headers["location"]
            _receive(response, have, partial, limits)
    return None


@contextmanager
def _cut_in_time(partial: PartialFile) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """A trace for httpx that cuts a connection when the time of the fetch is over.

    httpx limits each read alone: with a byte a read, headers and the lines between chunks could last for ever.
    """
    with ExitStack() as ended:

        def trace(event: str, info: dict[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                # A handle of its own: httpx closes its one, or gives it to TLS, when it likes.
                connection = ended.enter_context(info["return_value"].get_extra_info("socket").dup())
                timer = threading.Timer(min(partial.left_s(), threading.TIMEOUT_MAX), _cut, [connection])
                timer.daemon = True
                timer.start()
                ended.callback(timer.join)
                ended.callback(timer.cancel)

        yield trace


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # the server was faster
        connection.shutdown(socket.SHUT_RDWR)


def _credentials(url: httpx.URL) -> httpx.BasicAuth | None:
    return httpx.BasicAuth(url.username, url.password) if url.username else None


def _receive(response: httpx.Response, have: int, partial: PartialFile, limits: FetchLimits) -> None:
    total, state = _checked(response, have, limits), partial.state()
    if response.status_code == 416:
        if total == have and have and not _is_another(response, total, state):
            return  # all of it was here already
        partial.restart()
        raise Again("incomplete", f"the source has not the {have} bytes that were fetched from it", wait_s=0)
    if total is not None and total > limits.max_bytes:
        raise Reject("too_large", f"{total} bytes, above download.max_bytes = {limits.max_bytes}")
    if response.status_code == 206:
        start = _range_start(response)
        if start != have:
            partial.restart()
            raise Again("incomplete", f"asked for bytes from {have}, got them from {start}", wait_s=0)
        if _is_another(response, total, state):
            partial.restart()
            raise Again("incomplete", f"the file changed after {have} bytes", wait_s=0)
        total = total or state.get("total")
    elif validator := _validator(response):
        partial.restart(validator=validator, total=total)
    else:
        partial.restart()
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
        raise Again("unreachable", f"HTTP {status}", _retry_after(headers, limits))
    content_range = headers.get("content-range", "")
    if status == 416:
        return _number(content_range.rpartition("/")[2])
    if status not in (200, 206) or (status == 206 and not have):
        raise Reject("unreachable", f"HTTP {status}")
    if headers.get("content-encoding", "identity") != "identity":
        raise Reject("refused", f"compressed as {headers['content-encoding'][:40]}, although asked not to")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    no_media = kind.startswith(_REFUSED_TYPES) or any(word in kind for word in _PLAYLIST_TYPES)
    if no_media and not limits.any_content_type:
        raise Reject("not_a_video", f"the source sends {kind[:60]}; download.any_content_type fetches it all the same")
    if status == 206:
        return _number(content_range.rpartition("/")[2])
    return _number(headers.get("content-length", ""))


def _retry_after(headers: httpx.Headers, limits: FetchLimits) -> float | None:
    """Seconds a server asks to wait, in either form of the header. Raises Reject where that is too long."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    seconds = float(value) if value.isdecimal() else None
    if seconds is None:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    if seconds > limits.max_retry_after_s:
        raise Reject("unreachable", f"the source asks to wait {seconds:.0f} s")
    return seconds


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _range_start(response: httpx.Response) -> int | None:
    unit, _, span = response.headers.get("content-range", "").partition(" ")
    return _number(span.partition("-")[0]) if unit.lower() == "bytes" else None


def _validator(response: httpx.Response) -> str:
    """What a later request for the rest is bound to; a weak ETag says too little for that (RFC 9110, 13.1.5)."""
    etag = response.headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("last-modified", "")


def _is_another(response: httpx.Response, total: int | None, state: dict) -> bool:
    """Whether a source sends the rest of another file than the one begun: not all of them look at If-Range."""
    validator, known = state.get("validator", ""), state.get("total")
    header = "etag" if validator.startswith('"') else "last-modified"
    return response.headers.get(header, validator) != validator or (None not in (total, known) and total != known)
