"""Videos from an object store to a corpus in it: manifest, media, units, tables and shards."""

import hashlib
import os
import zlib
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from tests.object_store import Faults, s3_corpus
from tests.pipeline.command_line import finish, start
from tests.pipeline.worlds import small_world

pytestmark = pytest.mark.ray

FAULTS = Faults()
OUTAGE_AFTER = 60


@pytest.fixture(scope="module")
def bucket():
    """A client of an object store whose address is where the environment says, and a bucket in it."""
    with s3_corpus(FAULTS) as root:
        address = "http://" + parse_qs(urlsplit(root).query)["endpoint_override"][0]
        with mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": address}):
            yield boto3.client("s3"), urlsplit(root).netloc


@pytest.fixture(scope="module")
def manifest(bucket, tmp_path_factory):
    client, name = bucket
    folder = tmp_path_factory.mktemp("world")
    for path in small_world(folder, videos=1, seconds=40).parent.iterdir():
        client.upload_file(str(path), name, f"world/{path.name}")
    return f"s3://{name}/world/manifest.jsonl"


@pytest.fixture(scope="module")
def built(bucket, manifest):
    finish(start(manifest, f"s3://{bucket[1]}/corpus"))
    return f"s3://{bucket[1]}/corpus"


def objects(bucket, prefix: str) -> dict[str, str]:
    """What lies below a prefix: key to the hash of the object."""
    client, name = bucket
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=f"{prefix}/")
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return {
        key.removeprefix(f"{prefix}/"): hashlib.sha256(
            client.get_object(Bucket=name, Key=key)["Body"].read()
        ).hexdigest()
        for key in keys
    }


def test_from_s3_to_s3(bucket, manifest, built):
    assert "nothing, all units are done" in finish(start(manifest, built))
    assert verify(built).problems == []
    with open_catalog(built) as catalog:
        assert catalog.sql("select name from videos").fetchall() == [("demo-11-000",)]
        assert catalog.execute("select count(*) > 0 from samples").fetchone() == (True,)
        (media,) = catalog.execute("select media from videos").fetchone()
    assert media.startswith("media/")
    assert not objects(bucket, "corpus/.running")


class Trouble:
    """Every third object meets a fault at each kind of write, once; after some writes, all fail."""

    def __init__(self, writes: float) -> None:
        self.left, self.met = writes, set()

    def __call__(self, write: str, path: str) -> int | str | None:
        self.left -= 1
        if self.left < 0:
            return 503
        number = zlib.crc32(path.encode())
        if number % 3 or (write, path) in self.met:
            return None
        self.met.add((write, path))
        return (500, 503, "reset", "lost")[number // 3 % 4]


def test_failed_writes_are_tried_again_and_an_outage_ends_with_its_cause(bucket, manifest, built, monkeypatch):
    whole = objects(bucket, "corpus")
    monkeypatch.setattr(FAULTS, "fault", Trouble(OUTAGE_AFTER))
    ended = start(manifest, f"s3://{bucket[1]}/troubled")
    said, _ = ended.communicate(timeout=600)
    assert ended.returncode == 2, said
    assert "error: OSError: When" in said
    assert "AWS Error SLOW_DOWN" in said
    assert "Traceback" not in said
    units = {path: digest for path, digest in objects(bucket, "troubled").items() if path.startswith("units/")}
    assert units.items() <= whole.items()
    assert units
    trouble = Trouble(float("inf"))
    monkeypatch.setattr(FAULTS, "fault", trouble)
    finish(start(manifest, f"s3://{bucket[1]}/troubled"))
    assert {write for write, _ in trouble.met} >= {"initiate", "part", "complete"}
    assert objects(bucket, "troubled") == whole
