"""Network connections of the HTTP client: only to checked IP addresses, with bounded response headers.

These are pools of httpcore, since `httpx.AsyncClient` takes no network backend, which is what connects to the address
that was checked. Deadlines are `anyio.fail_after`: timeouts of httpcore and httpx hold for a single read, not in total.
"""

import re
import ssl
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import anyio
import certifi
import httpcore
import httpx

from schemas.rejects import Reject
from workers.fetch.access import Access
from workers.fetch.public_ips import resolve
from workers.fetch.urls import HttpUrl

_MAX_INFORMATIONAL = 5
_MAX_HEADER_BYTES = 64 << 10
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_INFORMATIONAL = re.compile(rb"HTTP/1\.[01] 1\d\d")


def http_client(url: HttpUrl, access: Access) -> httpcore.AsyncConnectionPool:
    """Returns a client for one request, which connects to checked addresses or through the configured proxy."""
    if not access.proxy:
        network = CheckedNetwork(access.allow_private_addresses)
        return httpcore.AsyncConnectionPool(_certificates(access.ca_bundle), network_backend=network)
    if not access.allow_private_addresses:
        _check_behind_proxy(url)
    proxy = httpx.URL(access.proxy)
    return httpcore.AsyncHTTPProxy(
        core_url(proxy, target=b"/"),
        proxy_auth=(proxy.username, proxy.password) if proxy.username else None,
        ssl_context=_certificates(access.ca_bundle),
        proxy_ssl_context=_certificates(access.ca_bundle) if proxy.scheme == "https" else None,
        network_backend=CheckedNetwork(allow_private=True),  # the proxy is configured by the user
    )


def _check_behind_proxy(url: HttpUrl) -> None:
    """Refuses a host that resolves to a private address here; names that only the proxy can resolve are left to the
    proxy.
    """
    try:
        resolve(url.host, url.port, allow_private=False)
    except OSError:
        return


@lru_cache(maxsize=4)
def _certificates(ca_bundle: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


def core_url(url: httpx.URL, target: bytes = b"") -> httpcore.URL:
    """Converts a URL for httpcore, without credentials and fragment."""
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target or url.raw_path)


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to exactly the IP address that was checked, since a second DNS lookup could return another one."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private, self._network = allow_private, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolves and checks the host, then connects to the checked address."""
        address = await anyio.to_thread.run_sync(resolve, host, port, self._allow_private, abandon_on_cancel=True)
        stream = await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
        return _BoundedStream(stream)

    async def sleep(self, seconds: float) -> None:
        """Waits for some seconds."""
        await self._network.sleep(seconds)


class _BoundedStream(httpcore.AsyncNetworkStream):
    """A connection that fails if headers exceed 64 kB or more than five informational responses come first."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream, self._informational = stream, 0
        self._headers: bytearray | None = bytearray()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._stream.read(max_bytes, timeout)
        if self._headers is not None:
            self._check_headers(self._headers, data)
        return data

    def _check_headers(self, headers: bytearray, data: bytes) -> None:
        headers += data
        while end := _END_OF_HEADERS.search(headers):
            if not _INFORMATIONAL.match(headers):
                self._headers = None
                return
            self._informational += 1
            if self._informational > _MAX_INFORMATIONAL:
                raise Reject(
                    "unreachable", f"more than {_MAX_INFORMATIONAL} informational responses (1xx) before the final one"
                )
            del headers[: end.end()]
        if len(headers) > _MAX_HEADER_BYTES:
            raise Reject("unreachable", f"more than {_MAX_HEADER_BYTES} bytes of headers")

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
