"""The connection to an endpoint: through the guard of addresses, in bounded time, with an answer of bounded size.

`openai` speaks HTTP by httpx2; this gives it the pools of `workers.fetch.network`, which connect to checked addresses.
"""

import ssl

import anyio
import httpcore
import httpx2

from workers.endpoint.answers import BadAnswer
from workers.endpoint.ledger import on_unanswered
from workers.fetch.access import Access, check
from workers.fetch.network import core_url, http_client
from workers.fetch.urls import HttpUrl

MAX_ANSWER_BYTES = 16 << 20
_NOT_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError)
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, ssl.SSLError, OSError)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Opens one connection per request.

    A host that the settings do not allow raises Reject: `refused`; an answer above MAX_ANSWER_BYTES raises BadAnswer.
    """

    def __init__(self, access: Access, timeout_s: float) -> None:
        self._access, self._timeout_s = access, timeout_s

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends a request and reads the response completely.

        Raises:
            Reject: `refused` if the settings do not allow the host.
            httpx2.TransportError: no complete response arrived; `openai` tries again.
        """
        url = check(str(request.url), self._access)
        assert isinstance(url, HttpUrl)
        content = await request.aread()
        try:
            with anyio.fail_after(self._timeout_s):
                async with (
                    http_client(url, self._access) as client,
                    client.stream(
                        request.method, core_url(url.url), headers=request.headers.raw, content=content
                    ) as response,
                ):
                    body = bytearray()
                    async for block in response.aiter_stream():
                        body += block
                        if len(body) > MAX_ANSWER_BYTES:
                            raise BadAnswer(f"the answer has more than {MAX_ANSWER_BYTES >> 20} MiB")
                    content = _uncompressed(response, bytes(body))
        except (TimeoutError, httpcore.TimeoutException) as error:
            _note(error)
            raise httpx2.ReadTimeout(f"no whole answer within {self._timeout_s:g} s") from None
        except BadAnswer as error:
            _note(error)
            raise
        except _BROKEN as error:
            _note(error)
            raise httpx2.ConnectError(type(error).__name__) from error
        return httpx2.Response(response.status, headers=response.headers, content=content)


def _uncompressed(response: httpcore.Response, body: bytes) -> bytes:
    """Returns the body, or nothing for an error whose body is compressed: the client would decompress it to any size.

    Raises BadAnswer for any other answer that is compressed, since none was asked for.
    """
    encodings = [value.strip().lower() for name, value in response.headers if name.lower() == b"content-encoding"]
    if all(encoding in (b"", b"identity") for encoding in encodings):
        return body
    if response.status < 400:
        raise BadAnswer("the answer is compressed, though the request does not allow that; turn it off at the server")
    return b""


def _note(error: Exception) -> None:
    if not isinstance(error, _NOT_SENT):
        on_unanswered.get()()
