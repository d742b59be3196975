"""An object store that speaks S3, for as long as a test needs one."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unittest import mock
from urllib.parse import parse_qs

import boto3
import httpx
from moto.server import ThreadedMotoServer

KEYS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",  # else each process first waits for an address that is not there
}
CODES = {500: "InternalError", 503: "SlowDown"}


@contextmanager
def s3_corpus(faults: "Faults | None" = None) -> Iterator[str]:
    """The root of an empty corpus in a bucket, as `Store` takes it."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        # What a server before it held is still there, of all servers of a process.
        httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
        with mock.patch.dict(os.environ, KEYS):
            client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name=KEYS["AWS_REGION"])
            client.create_bucket(Bucket="corpora")
            if faults:
                server._server.app = faults.before(server._server.app)
            yield f"s3://corpora/one?endpoint_override={host}:{port}&scheme=http"
    finally:
        server.stop()


class Faults:
    """Answers some of the writes to an object store in its place.

    `fault` is called with `put`, `part`, `complete` or another name of a write, and the path of the object. It gives a
    status of CODES, `reset` to close the connection, `lost` to do what was asked and close the connection before the
    answer, or None.
    """

    def __init__(self) -> None:
        self.fault: Callable[[str, str], int | str | None] = lambda write, path: None

    def before(self, app: Callable) -> Callable:
        def answer(environ: dict, start_response: Callable) -> Iterable[bytes]:
            write = _write(environ["REQUEST_METHOD"], parse_qs(environ["QUERY_STRING"], keep_blank_values=True))
            fault = self.fault(write, environ["PATH_INFO"]) if write else None
            if fault in CODES:
                start_response(f"{fault} Fault", [("Content-Type", "application/xml")])
                return [f"<Error><Code>{CODES[fault]}</Code><Message>a fault</Message></Error>".encode()]
            if fault == "lost":
                list(app(environ, lambda *_: None))
            if fault:
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                start_response("500 Fault", [])
                return [b""]
            return app(environ, start_response)

        return answer


def _write(method: str, query: dict) -> str | None:
    if method == "PUT":
        return "part" if "partNumber" in query else "put"
    if method == "POST":
        return "complete" if "uploadId" in query else "initiate" if "uploads" in query else "post"
    return None
