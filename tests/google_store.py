"""A server that speaks as much of Google's object store as a reader needs: a process of its own, run with its port.

Arrow holds Python's lock while it asks whether a file is closed, which is a request: no thread of the same process
could answer it.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

BODY = bytes(range(256)) * 8


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name = unquote(parts.path.partition("/o/")[2])
        if "alt" in parse_qs(parts.query):
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            return self.send(206 if start else 200, BODY[start:], f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        if name.startswith("error "):
            _, status, reason = name.split()
            error = {"code": int(status), "message": "secret", "errors": [{"reason": reason, "domain": "global"}]}
            return self.send(int(status), json.dumps({"error": error}).encode())
        times = dict.fromkeys(("updated", "timeCreated"), "2026-01-01T00:00:00Z")
        facts = {"kind": "storage#object", "name": name, "bucket": "videos", "generation": "7", "size": str(len(BODY))}
        return self.send(200, json.dumps(facts | times).encode())

    def send(self, status: int, body: bytes, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if content_range and status == 206:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
