"""Downloads files over http(s). Every address is checked before the request, after redirects as well, and has
deadlines.
"""

import base64
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import anyio
import httpcore
import httpx

from schemas.rejects import Reject
from workers.fetch.access import Access, check
from workers.fetch.host_limiter import HostLimiter
from workers.fetch.limits import FetchLimits
from workers.fetch.network import core_url, http_client
from workers.fetch.partial_file import PartialFile, RetryableError, State
from workers.fetch.responses import Answer, check_answer, is_another, range_start, service_code, validator_of
from workers.fetch.urls import HttpUrl

_MAX_REDIRECTS = 10
_MAX_ERROR_BYTES = 4096
_NETWORK_ERRORS = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.RemoteProtocolError, httpcore.ProxyError)
_CAUSES: dict[type, str] = {
    httpcore.ConnectTimeout: "no connection within download.timeout_s",
    httpcore.TimeoutException: "no data within download.timeout_s",
    httpcore.RemoteProtocolError: "the connection ended early, or the response is not HTTP",
    httpcore.NetworkError: "the connection was lost",
}


def receive_http(
    url: HttpUrl, partial: PartialFile, limits: FetchLimits, limiter: HostLimiter, known: State | None = None
) -> bool:
    """Makes one attempt to complete a partial file, following redirects.

    Each host is contacted within its own slot, and only one slot is held at a time.

    Returns:
        False if the file is still the version `known`, else True.

    Raises:
        RetryableError: another attempt may succeed.
        Reject: no attempt can succeed.
    """
    for _ in range(_MAX_REDIRECTS + 1):
        with limiter.slot(url.host) as waited_s:
            partial.start(waited_s)
            try:
                with _failures(partial):
                    location = anyio.run(_ask, url, partial, limits, known)
            except RetryableError as failure:
                if failure.pause_s:
                    limiter.pause(url.host, failure.pause_s)
                raise
        if isinstance(location, bool):
            return location
        url = _redirected(url, location, limits.access)
    raise Reject("unreachable", f"more than {_MAX_REDIRECTS} redirects")


def _redirected(url: HttpUrl, location: str, access: Access) -> HttpUrl:
    try:
        target = check(str(url.url.join(location)), access)
    except (httpx.InvalidURL, ValueError, Reject):
        target = None
    if not isinstance(target, HttpUrl):
        raise Reject("refused", "redirects to anything but http(s) are not followed")
    return target


async def _ask(url: HttpUrl, partial: PartialFile, limits: FetchLimits, known: State | None) -> str | bool:
    """Receives the file, or returns the target of a redirect."""
    with anyio.fail_after(partial.left_s()):
        state = partial.state()
        have = partial.size() if state.get("validator") else 0
        async with _answer(url, have, state, limits) as answer:
            if answer.location:
                return answer.location
            total = check_answer(answer, have, limits)
            # Only an ETag identifies a file at another address; date and length may coincide.
            if known and (etag := answer.headers.get("etag")) and {"validator": etag, "total": total} == known:
                return False
            if not _is_here_already(answer, have, total, partial, limits):
                with partial.appending(total or partial.state().get("total")) as write:
                    async for block in answer.blocks:
                        write(block)
    return True


def _is_here_already(answer: Answer, have: int, total: int | None, partial: PartialFile, limits: FetchLimits) -> bool:
    """Prepares the partial file for the body of the response; returns True if nothing is missing."""
    state = partial.state()
    if answer.status == 416:
        if total == have and have and not is_another(answer, total, state):
            return True
        partial.restart()
        raise RetryableError(
            "incomplete", f"the source no longer has the {have} bytes that were received", at_once=True
        )
    if total is not None and total > limits.max_bytes:
        raise Reject("too_large", f"{total} bytes, above download.max_bytes = {limits.max_bytes}")
    if answer.status == 206 and have:
        start = range_start(answer)
        if start != have:
            partial.restart()
            raise RetryableError(
                "incomplete", f"requested bytes from {have}, received bytes from {start}", at_once=True
            )
        if is_another(answer, total, state):
            partial.restart()
            raise RetryableError("incomplete", f"the file changed after {have} bytes", at_once=True)
    elif validator := validator_of(answer):
        partial.restart(validator=validator, total=total)
    else:
        partial.restart()
    return False


@asynccontextmanager
async def _answer(url: HttpUrl, have: int, state: State, limits: FetchLimits) -> AsyncIterator[Answer]:
    """Requests the file, or its missing part. The headers of the response have a deadline of their own."""
    headers: dict[str | bytes, str | bytes] = {
        "Accept-Encoding": "identity",
        "User-Agent": limits.user_agent,
        "Host": url.url.netloc.decode("ascii"),
        **_credentials(url.url),
    }
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": state["validator"]}
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), limits.timeout_s)
    async with AsyncExitStack() as opened:
        try:
            with anyio.fail_after(limits.max_header_s):
                client = await opened.enter_async_context(http_client(url, limits.access))
                request = client.stream("GET", core_url(url.url), headers=headers, extensions={"timeout": timeouts})
                response = await opened.enter_async_context(request)
                body = response.aiter_stream()
                code = service_code(await _start_of(body)) if response.status >= 400 else ""
        except TimeoutError:
            raise RetryableError("unreachable", f"no response within {limits.max_header_s:g} s") from None
        yield Answer(response.status, httpx.Headers(response.headers), body, code)


async def _start_of(body: AsyncIterator[bytes]) -> bytes:
    start = b""
    async for block in body:
        start += block
        if len(start) >= _MAX_ERROR_BYTES:
            break
    return start


def _credentials(url: httpx.URL) -> dict[str | bytes, str | bytes]:
    if not url.username:
        return {}
    pair = f"{url.username}:{url.password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


@contextmanager
def _failures(partial: PartialFile) -> Iterator[None]:
    """Converts network errors to RetryableError or Reject; errors of the local disk pass through."""
    try:
        yield
    except (*_NETWORK_ERRORS, ssl.SSLError, socket.gaierror, ConnectionError, TimeoutError) as error:
        partial.check_time()  # a connection closed at the deadline looks like a lost one
        cause, may_pass = _cause(error)
        if not may_pass:
            raise Reject("unreachable", cause) from None
        reason = "incomplete" if partial.size() else "unreachable"
        raise RetryableError(reason, f"{cause} after {partial.size()} bytes") from None
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpx.InvalidURL):
        raise Reject("refused", "the address cannot be used") from None


def _cause(error: BaseException) -> tuple[str, bool]:
    """Returns the cause of a failure for messages, without text from the server, and whether a retry may succeed."""
    link: BaseException | None = error
    while link:
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"TLS: {link.verify_message}", False
        if isinstance(link, ssl.SSLError):
            return f"TLS: {(link.reason or 'the handshake failed').replace('_', ' ').lower()}", True
        if isinstance(link, socket.gaierror):
            return f"DNS: {link.strerror}", True
        if isinstance(link, OSError) and link.errno:
            return os.strerror(link.errno).lower(), True
        if isinstance(link, httpcore.ProxyError):
            return f"the proxy refuses: {str(link)[:100]}", True
        link = link.__cause__ or link.__context__
    known = [text for kind, text in _CAUSES.items() if isinstance(error, kind)]
    return known[0] if known else type(error).__name__, True
