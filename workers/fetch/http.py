"""Files from http(s): every address is checked before it is asked, after redirects too; every answer has a deadline."""

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
from workers.fetch.network import core_url, http_client
from workers.fetch.partial_file import FetchLimits, PartialFile, RetryableError
from workers.fetch.responses import Answer, check_answer, is_another, range_start, service_code, validator_of
from workers.fetch.urls import HttpUrl

_MAX_REDIRECTS = 10
_MAX_ERROR_BYTES = 4096
_NETWORK_ERRORS = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.RemoteProtocolError, httpcore.ProxyError)
_CAUSES: dict[type, str] = {
    httpcore.ConnectTimeout: "no connection in download.timeout_s",
    httpcore.TimeoutException: "no bytes in download.timeout_s",
    httpcore.RemoteProtocolError: "the connection ended early, or what came is no HTTP",
    httpcore.NetworkError: "the connection broke",
}


def receive_http(
    url: HttpUrl, partial: PartialFile, limits: FetchLimits, limiter: HostLimiter, known: dict | None = None
) -> bool:
    """One attempt to make a partial file whole, after all redirects; False: it is still the file `known` describes.

    Each host is asked in its own turn, and only one turn is held at once. Raises RetryableError or Reject.
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
        raise Reject("refused", "a redirect to what is no address of http is not followed")
    return target


async def _ask(url: HttpUrl, partial: PartialFile, limits: FetchLimits, known: dict | None) -> str | bool:
    """Receives the file, or gives where it lies instead."""
    with anyio.fail_after(partial.left_s()):
        state = partial.state()
        have = partial.size() if state.get("validator") else 0
        async with _answer(url, have, state, limits) as answer:
            if answer.location:
                return answer.location
            total = check_answer(answer, have, limits)
            # A date and a length are no proof that a file at another address is the same one.
            if known and (etag := answer.headers.get("etag")) and {"validator": etag, "total": total} == known:
                return False
            if not _is_here_already(answer, have, total, partial, limits):
                with partial.appending(total or partial.state().get("total")) as write:
                    async for block in answer.blocks:
                        write(block)
    return True


def _is_here_already(answer: Answer, have: int, total: int | None, partial: PartialFile, limits: FetchLimits) -> bool:
    """Makes the partial file ready for what the answer brings, unless nothing is missing."""
    state = partial.state()
    if answer.status == 416:
        if total == have and have and not is_another(answer, total, state):
            return True
        partial.restart()
        raise RetryableError(
            "incomplete", f"the source has not the {have} bytes that were fetched from it", at_once=True
        )
    if total is not None and total > limits.max_bytes:
        raise Reject("too_large", f"{total} bytes, above download.max_bytes = {limits.max_bytes}")
    if answer.status == 206 and have:
        start = range_start(answer)
        if start != have:
            partial.restart()
            raise RetryableError("incomplete", f"asked for bytes from {have}, got them from {start}", at_once=True)
        if is_another(answer, total, state):
            partial.restart()
            raise RetryableError("incomplete", f"the file changed after {have} bytes", at_once=True)
    elif validator := validator_of(answer):
        partial.restart(validator=validator, total=total)
    else:
        partial.restart()
    return False


@asynccontextmanager
async def _answer(url: HttpUrl, have: int, state: dict, limits: FetchLimits) -> AsyncIterator[Answer]:
    """Asks for the file, or for what is missing of it. The answer's headers have a deadline of their own."""
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
                asking = client.stream("GET", core_url(url.url), headers=headers, extensions={"timeout": timeouts})
                response = await opened.enter_async_context(asking)
                body = response.aiter_stream()
                code = service_code(await _start_of(body)) if response.status >= 400 else ""
        except TimeoutError:
            raise RetryableError("unreachable", f"no answer within {limits.max_header_s:g} s") from None
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
    """Errors of the network as RetryableError or Reject; those of the disk stay what they are."""
    try:
        yield
    except (*_NETWORK_ERRORS, ssl.SSLError, socket.gaierror, ConnectionError, TimeoutError) as error:
        partial.check_time()  # a connection that was cut for its time looks like any broken one
        cause, may_pass = _cause(error)
        if not may_pass:
            raise Reject("unreachable", cause) from None
        reason = "incomplete" if partial.size() else "unreachable"
        raise RetryableError(reason, f"{cause} after {partial.size()} bytes") from None
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpx.InvalidURL):
        raise Reject("refused", "no usable address") from None


def _cause(error: BaseException) -> tuple[str, bool]:
    """What failed, for a person, and whether it may go well another time. No text of a server."""
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
