"""A loopback HTTP server that fails in the ways servers on the internet do. Each path is a behaviour."""

import gzip
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = bytes(range(256)) * 2048
ETAG = '"v1"'
DATES = ("Mon, 05 Jan 2026 00:00:00 GMT", "Tue, 06 Jan 2026 00:00:00 GMT")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        path = self.path.partition("?")[0]
        number = self.server.seen[path]
        self.server.seen[path] += 1
        self.server.requests.append((self.path, dict(self.headers)))
        getattr(self, path.strip("/"))(number)

    def send(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"ETag": ETAG, "Content_Type": "video/mp4"} | headers).items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        if length != -1:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.server.sent += len(body)  # before the client can have it all and look
        self.wfile.write(body)

    def range(self) -> int | None:
        value = self.headers.get("Range")
        fresh = self.headers.get("If-Range", ETAG) == ETAG
        return int(value.removeprefix("bytes=").rstrip("-")) if value and fresh else None

    def send_rest(self, start: int | None, stop: int | None = None) -> None:
        if start is None:
            self.send(BODY[:stop], length=len(BODY))
        else:
            span = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
            self.send(BODY[start:stop], 206, len(BODY) - start, Content_Range=span)

    def good(self, number: int) -> None:
        self.send_rest(self.range())

    def reset(self, number: int) -> None:
        """A fifth more of the body each time."""
        start = self.range() or 0
        self.send_rest(self.range(), min(len(BODY), start + len(BODY) // 5 + 1))

    def reset_without_validator(self, number: int) -> None:
        stop = None if number > 1 else len(BODY) // 2
        self.send(BODY[:stop], length=len(BODY), ETag="")

    def changes(self, number: int) -> None:
        """Another file under the same address after the first reset."""
        if number == 0:
            self.send(BODY[: len(BODY) // 2], length=len(BODY))
        else:
            self.send(BODY[::-1], ETag='"v2"')

    def splice(self, number: int, begun: dict, **now: str) -> None:
        """The rest of another file for whoever has the start of the first one, whatever If-Range says."""
        other, start = BODY[::-1], int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if number == 0:
            self.send(BODY[: len(BODY) // 2], **({"length": len(BODY)} | begun))
        elif start:
            self.send(other[start:], 206, Content_Range=f"bytes {start}-{len(other) - 1}/{len(other)}", **now)
        else:
            self.send(other, **now)

    def changes_etag(self, number: int) -> None:
        self.splice(number, {}, ETag='"v2"')

    def changes_date(self, number: int) -> None:
        self.splice(number, {"ETag": "", "Last_Modified": DATES[0]}, ETag="", Last_Modified=DATES[1])

    def changes_length(self, number: int) -> None:
        self.splice(number, {"length": len(BODY) + 1})

    def busy(self, number: int) -> None:
        if number < 2:
            self.send(b"", 503, Retry_After="0")
        else:
            self.send(BODY)

    def busy_for_ever(self, number: int) -> None:
        self.send(b"", 503)

    def wait_a_day(self, number: int) -> None:
        self.send(b"", 429, Retry_After="86400")

    def wait_a_second(self, number: int) -> None:
        self.send(*((b"", 429, None) if number == 0 else (BODY,)), Retry_After="1")

    def missing(self, number: int) -> None:
        self.send(b"gone", 404)

    def forbidden(self, number: int) -> None:
        self.send(b"no", 403)

    def expired(self, number: int) -> None:
        """As an object store answers for a signature that has expired."""
        self.send(b"<Error><Code>ExpiredToken</Code><Message>secret</Message></Error>", 403)

    def slow_down(self, number: int) -> None:
        self.send(b"<Error><Code>SlowDown</Code></Error>", 503)

    def too_short(self, number: int) -> None:
        self.send(BODY[:1000], length=len(BODY), ETag="")

    def wrong_range(self, number: int) -> None:
        if self.range() is None:
            self.send(BODY[:1000] if number == 0 else BODY, length=len(BODY))
        else:
            self.send(BODY, 206, Content_Range=f"bytes 0-{len(BODY) - 1}/{len(BODY)}")

    def whole_range(self, number: int) -> None:
        """The whole file as a range of itself, whether a range was asked for or not."""
        self.send(BODY, 206, Content_Range=f"bytes 0-{len(BODY) - 1}/{len(BODY)}")

    def first_range(self, number: int) -> None:
        self.send(BODY[:100], 206, Content_Range=f"bytes 0-99/{len(BODY)}")

    def unasked_range(self, number: int) -> None:
        self.send(BODY[100:], 206, Content_Range=f"bytes 100-{len(BODY) - 1}/{len(BODY)}")

    def drip(self, number: int) -> None:
        self.send(b"", length=len(BODY))
        self.pour(b"x", 0.05)

    def header_drip(self, number: int) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        self.pour(b"x", 0.05)

    def chunk_drip(self, number: int) -> None:
        self.send(b"5;", length=-1, Transfer_Encoding="chunked")
        self.pour(b"x", 0.05)

    def hints(self, number: int) -> None:
        self.pour(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0)

    def five_hints(self, number: int) -> None:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 5)
        self.send(BODY)

    def six_hints(self, number: int) -> None:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 6)
        self.send(BODY)

    def long_headers(self, number: int) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000)
        self.send(BODY)

    def stalls(self, number: int) -> None:
        """Of no known length: its end looks like the file's."""
        self.send(BODY[:1000], length=-1)
        time.sleep(3)

    def endless(self, number: int) -> None:
        self.send(b"", length=-1)
        self.pour(BODY, 0)

    def pour(self, block: bytes, pause_s: float) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                self.wfile.write(block)
                self.wfile.flush()
            except OSError:
                return
            time.sleep(pause_s)

    def silent(self, number: int) -> None:
        time.sleep(3)

    def huge(self, number: int) -> None:
        self.send(b"", length=1 << 50)

    def loop(self, number: int) -> None:
        self.send(b"", 302, Location="/loop")

    def to_nowhere(self, number: int) -> None:
        self.send(b"", 302)

    def slow_loop(self, number: int) -> None:
        time.sleep(0.2)
        self.send(b"", 302, Location="/slow_loop")

    def to_header_drip(self, number: int) -> None:
        self.send(b"", 302, Location="/header_drip")

    def to_alone(self, number: int) -> None:
        self.send(b"", 302, Location=f"http://localhost:{self.server.server_port}/alone")

    def alone(self, number: int) -> None:
        """Refuses two that ask at once."""
        if not self.server.asked.acquire(blocking=False):
            self.send(b"not both", 403)
            return
        time.sleep(0.5)
        self.server.asked.release()
        self.send(BODY)

    def to_pause(self, number: int) -> None:
        self.send(b"", 302, Location=f"http://localhost:{self.server.server_port}/pause")

    def pause(self, number: int) -> None:
        self.send(b"", 429, Retry_After="60")

    def to_private(self, number: int) -> None:
        self.send(b"", 302, Location=f"http://10.0.0.1:{self.server.server_port}/good")

    def to_other(self, number: int) -> None:
        self.send(b"", 302, Location=f"http://localhost:{self.server.server_port}/good")

    def to_file(self, number: int) -> None:
        self.send(b"", 302, Location="file:///etc/passwd")

    def to_nonsense(self, number: int) -> None:
        self.send(b"", 302, Location=("http://[h/v", "http://h:x/v", "s3://b/k", "http://h\tx/v")[number % 4])

    def to_good(self, number: int) -> None:
        self.send(b"", 302, Location="/good?token=secret")

    def bomb(self, number: int) -> None:
        self.send(gzip.compress(bytes(1 << 20)), Content_Encoding="gzip")

    def page(self, number: int) -> None:
        self.send(b"<html>not found</html>", Content_Type="text/html; charset=utf-8")

    def playlist(self, number: int) -> None:
        self.send(b"#EXTM3U\n", Content_Type="application/vnd.apple.mpegurl")


@contextmanager
def faulty_server(address: str = "127.0.0.1") -> Iterator[ThreadingHTTPServer]:
    """`url`, `requests` [(path, headers)], `sent` bytes of bodies, `seen` requests a path."""
    server = ThreadingHTTPServer((address, 0), _Handler)
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.requests, server.sent, server.seen, server.asked = [], 0, Counter(), threading.Lock()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
