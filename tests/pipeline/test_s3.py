"""Videos from an object store to a corpus in it: manifest, media, units, tables and shards."""

import os
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from pipeline.catalog import open_catalog
from pipeline.verify import verify
from tests.object_store import s3_corpus
from tests.pipeline.command_line import finish, start
from tests.pipeline.worlds import small_world


@pytest.fixture
def bucket():
    """A client of an object store whose address is where the environment says, and a bucket in it."""
    with s3_corpus() as root:
        address = "http://" + parse_qs(urlsplit(root).query)["endpoint_override"][0]
        with mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": address}):
            yield boto3.client("s3"), urlsplit(root).netloc


def test_from_s3_to_s3(bucket, tmp_path):
    client, name = bucket
    for path in small_world(tmp_path, videos=1, seconds=40).parent.iterdir():
        client.upload_file(str(path), name, f"world/{path.name}")
    corpus = f"s3://{name}/corpus"
    for _ in range(2):
        said = finish(start(f"s3://{name}/world/manifest.jsonl", corpus))
    assert "nothing, all of it stands" in said
    assert verify(corpus).problems == []
    with open_catalog(corpus) as catalog:
        assert catalog.sql("select name from videos").fetchall() == [("demo-11-000",)]
        assert catalog.execute("select count(*) > 0 from samples").fetchone() == (True,)
        (media,) = catalog.execute("select media from videos").fetchone()
    assert media.startswith("media/")
    assert client.list_objects_v2(Bucket=name, Prefix="corpus/.running")["KeyCount"] == 0
