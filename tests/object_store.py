"""An object store that speaks S3, for as long as a test needs one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import boto3
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1"}


@contextmanager
def s3_corpus() -> Iterator[str]:
    """The root of an empty corpus in a bucket, as `Store` takes it."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with mock.patch.dict(os.environ, KEYS):
            client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name=KEYS["AWS_REGION"])
            client.create_bucket(Bucket="corpora")
            yield f"s3://corpora/one?endpoint_override={host}:{port}&scheme=http"
    finally:
        server.stop()
