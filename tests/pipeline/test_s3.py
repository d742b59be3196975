"""Videos from an object store to a corpus in it: manifest, media, units, tables and shards."""

import hashlib
import os
import zlib
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from pipeline.build import build
from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from tests.object_store import Faults, s3_corpus
from tests.pipeline.command_line import start
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import contents, small_recipe

FAULTS = Faults()
pytestmark = pytest.mark.ray  # all need the corpus of `outage`


@pytest.fixture(scope="module")
def bucket():
    """A client of an object store whose address is where the environment says, and a bucket in it."""
    with s3_corpus(FAULTS) as root:
        address = "http://" + parse_qs(urlsplit(root).query)["endpoint_override"][0]
        with mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": address}):
            yield boto3.client("s3"), urlsplit(root).netloc


@pytest.fixture(scope="module")
def manifest(bucket, small_corpus):
    client, name = bucket
    for path in small_corpus.manifest.parent.iterdir():
        client.upload_file(str(path), name, f"world/{path.name}")
    return f"s3://{name}/world/manifest.jsonl"


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


class Trouble:
    """Every third object meets a fault at each kind of write, once; from the first unit of a stage on, all fail."""

    def __init__(self, outage_from: str | None = None) -> None:
        self.outage_from, self.is_out, self.met = outage_from, False, set()

    def __call__(self, write: str, path: str) -> int | str | None:
        self.is_out |= self.outage_from is not None and f"/units/{self.outage_from}/" in path
        if self.is_out:
            return 503
        number = zlib.crc32(path.encode())
        if number % 3 or (write, path) in self.met:
            return None
        self.met.add((write, path))
        return (500, 503, "reset", "lost")[number // 3 % 4]


@pytest.fixture(scope="module")
def outage(bucket, manifest):
    """Exit code and output of a build during which the store stopped to take writes of Ray's workers."""
    FAULTS.fault = Trouble(outage_from="shard")
    process = start(manifest, f"s3://{bucket[1]}/corpus")
    said, _ = process.communicate(timeout=600)
    return process.returncode, said


@pytest.fixture(scope="module")
def met(bucket, manifest, outage):
    """The faults that the next build met, which went on with the corpus to its end."""
    FAULTS.fault = Trouble()
    with in_process():
        summary = build(manifest, f"s3://{bucket[1]}/corpus", small_recipe(), say=lambda line: None)
    assert summary.failures == []
    assert summary.ran["shard"] == 2
    return FAULTS.fault.met


def test_an_outage_ends_a_build_with_its_cause(outage):
    code, said = outage
    assert code == 2, said
    assert "error: OSError: When" in said
    assert "AWS Error SLOW_DOWN" in said
    assert "Traceback" not in said


def test_failed_writes_are_tried_again(met):
    assert {write for write, _ in met} >= {"initiate", "part", "complete"}


def test_the_corpus_is_whole_and_a_build_again_has_nothing_to_do(bucket, manifest, met):
    corpus = f"s3://{bucket[1]}/corpus"
    assert not build(manifest, corpus, small_recipe(), say=lambda line: None).ran
    assert verify(corpus).problems == []
    with open_catalog(corpus) as catalog:
        media = [path for (path,) in catalog.sql("select media from videos").fetchall()]
    assert len(media) == 2
    assert all(path.startswith("media/") for path in media)
    assert not objects(bucket, "corpus/.running")


def test_the_shards_are_those_of_the_same_videos_on_a_disk(bucket, small_corpus, met):
    assert objects(bucket, "corpus/shards") == contents(small_corpus.corpus / "shards")
