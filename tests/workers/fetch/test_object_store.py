"""Objects of a store that speaks S3, and of one that speaks Google's protocol."""

import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from schemas.rejects import BuildStopped, Reject
from tests import google_store
from tests.faulty_server import BODY
from workers.fetch import object_store
from workers.fetch.access import Access
from workers.fetch.fetcher import fetch, read_bytes
from workers.fetch.limits import FetchLimits
from workers.fetch.partial_file import RetryableError

pytestmark = pytest.mark.slow

OWN = Access(buckets=("s3://videos", "gs://videos"))
LIMITS = FetchLimits(max_bytes=4 * len(BODY), max_seconds=60, attempts=2, backoff_s=0.01, access=OWN)


def changed(**values) -> FetchLimits:
    return LIMITS.model_copy(update=values)


# As a listing shows them.
KEYS = [
    "v.mp4",
    "a b/v.mp4",
    "Länge 100%.mp4",
    "e\u0301.mp4",
    "take#1.mp4",
    "what?.mp4",
    "1+1=2.mp4",
    "a;b&c'd.mp4",
    "%41.mp4",
]


class Store:
    """What the tests ask of a server: its objects, the requests it saw, and an error to answer with."""

    def __init__(self, app):
        self.app, self.error, self.seen = app, None, []

    def __call__(self, environ, start_response):
        signed = environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4")
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], signed))
        if not self.error:
            return self.app(environ, start_response)
        status, code = self.error
        start_response(f"{status} Error", [("Content-Type", "application/xml")])
        body = f"<Error><Code>{code}</Code><Message>secret</Message></Error>".encode()
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    store = server._server.app = Store(server._server.app)
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ACCESS_KEY_ID", "id"), ("SECRET_ACCESS_KEY", "secret"), ("REGION", "us-east-1")):
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        client = boto3.client("s3")
        for bucket in ("videos", "others"):
            client.create_bucket(Bucket=bucket)
        for key in KEYS:
            client.put_object(Bucket="videos", Key=key, Body=BODY)
        client.put_object(Bucket="others", Key="private.mp4", Body=BODY)
        client.put_object(Bucket="others", Key="public.mp4", Body=BODY, ACL="public-read")
        yield store
    server.stop()


@pytest.fixture
def s3(server):
    server.error, server.seen[:] = None, []
    yield server
    server.error = None


@pytest.mark.parametrize("key", KEYS)
def test_an_object_arrives_whole_by_its_listed_key(s3, tmp_path, key):
    assert fetch(f"s3://videos/{key}", tmp_path / "f", LIMITS).read_bytes() == BODY
    assert read_bytes(f"s3://videos/{key}", len(BODY), OWN) == BODY


def test_a_percent_encoded_key_is_found_where_none_is_named_so(s3, tmp_path):
    assert fetch("s3://videos/a%20b/v.mp4", tmp_path / "f", LIMITS).read_bytes() == BODY
    s3.seen.clear()
    with pytest.raises(Reject, match="not_found"):
        fetch("s3://videos/a/%2e%2e/%2e%2e/others/private.mp4", tmp_path / "g", LIMITS)
    assert {path.split("/")[1] for _, path, _ in s3.seen} == {"videos"}


def test_an_object_is_gone_on_with(s3, tmp_path, monkeypatch):
    real, starts = object_store.OpenObject.blocks, []

    def breaks_once(self, start):
        starts.append(start)
        for number, block in enumerate(real(self, start)):
            if number == 3 and len(starts) == 1:
                raise RetryableError("unreachable", "broken off")
            yield block

    monkeypatch.setattr(object_store.OpenObject, "blocks", breaks_once)
    monkeypatch.setattr(object_store, "_BLOCK", 4096)
    assert fetch("s3://videos/v.mp4", tmp_path / "f", LIMITS).read_bytes() == BODY
    assert starts == [0, 3 * 4096]


@pytest.mark.parametrize(
    ("address", "limits", "reason"),
    [
        ("s3://videos/none.mp4", {}, "not_found"),
        ("s3://videos/a b", {}, "not_found"),
        ("s3://none/v.mp4", {}, "not_found"),
        ("s3://videos/v.mp4", {"max_bytes": 10}, "too_large"),
        ("s3://videos/v.mp4?endpoint_override=127.0.0.1:9", {}, "refused"),
        ("s3://id:secret@videos/v.mp4", {}, "refused"),
        ("s3://id:sec/ret@videos/v.mp4", {}, "refused"),
        ("s3://videos/a/../v.mp4", {}, "refused"),
        ("s3://videos/a//v.mp4", {}, "refused"),
    ],
)
def test_object_reasons(s3, tmp_path, address, limits, reason):
    with pytest.raises(Reject) as rejected:
        fetch(address, tmp_path / "f", changed(**limits))
    assert rejected.value.reason == reason
    assert "secret" not in str(rejected.value)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "AccessDenied", "refused"),
        (503, "SlowDown", "unreachable"),
        (500, "InternalError", "unreachable"),
        (403, "SomethingNew", "refused"),
    ],
)
def test_the_services_code_is_told(s3, tmp_path, status, code, reason):
    s3.error = status, code
    with pytest.raises(Reject) as rejected:
        fetch("s3://videos/v.mp4", tmp_path / "f", changed(attempts=1))
    assert rejected.value.reason == reason
    assert code.removesuffix("Error") in rejected.value.detail
    assert "secret" not in rejected.value.detail


def test_what_is_refused_is_asked_for_once(s3, tmp_path):
    s3.error = 403, "AccessDenied"
    with pytest.raises(Reject, match="refused"):
        fetch("s3://videos/v.mp4", tmp_path / "f", LIMITS)
    assert [method for method, _, _ in s3.seen] == ["HEAD", "GET"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ExpiredToken"),
        (403, "InvalidAccessKeyId"),
        (403, "SignatureDoesNotMatch"),
        (403, "RequestTimeTooSkewed"),
    ],
)
def test_credentials_that_are_not_accepted_stop_the_build(s3, tmp_path, status, code):
    s3.error = status, code
    message = f"s3://videos: the credentials are not accepted \\({code}\\)"
    with pytest.raises(BuildStopped, match=message):
        fetch("s3://videos/v.mp4", tmp_path / "f", LIMITS)
    with pytest.raises(BuildStopped, match=message):
        read_bytes("s3://videos/v.mp4", 9, OWN)


def test_a_bucket_that_is_not_listed_is_read_anonymously(s3, tmp_path):
    assert fetch("s3://others/public.mp4", tmp_path / "f", LIMITS).read_bytes() == BODY
    with pytest.raises(Reject, match=r"refused.*AccessDenied.*add s3://others to download.buckets"):
        fetch("s3://others/private.mp4", tmp_path / "g", LIMITS)
    assert not any(signed for _, _, signed in s3.seen)
    listed = changed(access=Access(buckets=("s3://others/private.mp4",)))
    assert fetch("s3://others/private.mp4", tmp_path / "h", listed).read_bytes() == BODY


@pytest.mark.parametrize(
    ("buckets", "signed"),
    [
        (("s3://videos",), True),
        (("s3://videos/a b/",), True),
        (("s3://videos/a b",), True),
        (("s3://videos/a",), False),
        (("s3://video",), False),
        (("gs://videos",), False),
        ((), False),
    ],
)
def test_a_prefix_ends_at_a_slash(s3, tmp_path, buckets, signed):
    with nullcontext() if signed else pytest.raises(Reject):
        fetch("s3://videos/a b/v.mp4", tmp_path / "f", changed(access=Access(buckets=buckets)))
    assert {was for _, _, was in s3.seen} == {signed}


@pytest.fixture(scope="module")
def gcs():
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.google_store"], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", f"http://127.0.0.1:{process.stdout.readline().strip()}")
        yield
    process.kill()
    process.communicate()


ANONYMOUS = changed(access=Access(), attempts=1)


@pytest.mark.parametrize("key", KEYS)
def test_an_object_of_google_arrives_whole_by_its_listed_key(gcs, tmp_path, key):
    assert fetch(f"gs://videos/{key}", tmp_path / "f", ANONYMOUS).read_bytes() == google_store.BODY


def test_an_object_of_google_is_gone_on_with(gcs, tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "data").write_bytes(google_store.BODY[:100])
    (folder / "state.json").write_text(json.dumps({"validator": "7", "total": len(google_store.BODY)}))
    assert fetch("gs://videos/v.mp4", folder, ANONYMOUS).read_bytes() == google_store.BODY


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [("403 forbidden", "refused", "forbidden"), ("404 notFound", "not_found", "")],
)
def test_the_reasons_of_google(gcs, tmp_path, error, reason, code):
    with pytest.raises(Reject) as rejected:
        fetch(f"gs://videos/error {error}", tmp_path / "f", ANONYMOUS)
    assert rejected.value.reason == reason
    assert code in rejected.value.detail
    assert "secret" not in rejected.value.detail


def test_a_store_that_cannot_be_reached_is_told(server, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Reject, match="unreachable.*[Cc]ould not connect|[Cc]ouldn't connect"):
        fetch("s3://videos/v.mp4", tmp_path / "f", changed(attempts=1))
