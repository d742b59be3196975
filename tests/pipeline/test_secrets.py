"""No secret of a manifest gets into the corpus, the terminal, a log or a temporary folder."""

import json
import shutil
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from pipeline.inputs.manifest import read_manifest
from schemas.config import ConfigError
from tests.numbered_video import write_video
from tests.pipeline.command_line import start

MARK = "S3CR3T"
HTTP = [
    "http://me:{}@h.invalid/v.mp4",
    "http://{}@h.invalid/v.mp4",
    "http://me:{}%2F{}@h.invalid/v.mp4",
    "http://h.invalid/v.mp4?token={}",
    "http://h.invalid/v.mp4?v={}&sig={}",
    "http://h.invalid/v.mp4;sig={}",
    "http://h.invalid/v.mp4#{}",
    "http://h.invalid/v.mp4?mail=a@{}",
    "http://me:{}@h.invalid/v.mp4?X-Amz-Signature={}",
    "http://me:{}@127.0.0.1:9/v.mp4?token={}",
    "HTTP://me:{}@h.invalid:80/a b.mp4?q= {}",
    "https://me:{}@h.invalid/v.mp4?a=%53{}",
]
ANNOTATIONS = [
    "s3://AKIA:{}@b/a.vtt",
    "s3://AKIA:{}/{}@b/a.vtt",
    "s3://AKIA:x#{}?y@b/a.vtt",
    "s3://b/a.vtt?endpoint_override=127.0.0.1:9&secret_key={}",
    "gs://me:{}@b/a b.vtt?token={}",
    "s3://b/a.vtt?sig={}#{}",
]
FREE_TEXT = [
    "https://me:{}@h.org/page?v=1&token={}",
    "by me, see https://me:{}@h.org/ and http://h.org/?sig={} .",
    "s3://AKIA:{}@b/x",
]
REFUSED = [
    *(
        {"uri": uri}
        for uri in (*ANNOTATIONS, " http://me:{}@h/v", "ftp://me:{}@h/v?{}", "//me:{}@h/v", "me:{}@h/v.mp4")
    ),
    *(
        {"uri": uri}
        for uri in ("http://me:{}@[h/v", "http://me:{}@ho st/v", "http://me:{}/{}@h/v?{}", "http:me:{}@h/v")
    ),
    *({"uri": "a", column: "https://me:{}@h/a?{}"} for column in ("split", "sha256", "events_file", "https://{}@h")),
    {"uri": "a", "subtitles": ["https://me:{}@h/a.vtt?{}"]},
    {"uri": ["http://me:{}@h/v"]},
]


def marked(value, numbers):
    """The value with a mark of its own in each place."""
    if isinstance(value, dict):
        return {marked(key, numbers): marked(item, numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item, numbers) for item in value]
    while isinstance(value, str) and "{}" in value:
        value = value.replace("{}", f"{MARK}{next(numbers):02}", 1)
    return value


def rows():
    for number, uri in enumerate(HTTP):
        yield {"id": f"http {number}", "uri": uri}
    for number, address in enumerate(ANNOTATIONS):
        yield {"id": f"subtitles {number}", "uri": "v.mp4", "subtitles": [address]}
        yield {"id": f"events {number}", "uri": "v.mp4", "events_file": address}
    for text in FREE_TEXT:
        yield {"id": text, "uri": "v.mp4", "licence": text, "source": text}


@pytest.fixture
def temporary():
    # Short: the paths of sockets are.
    folder = Path(tempfile.mkdtemp(prefix="lv", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.ray
def test_no_marked_secret_is_found_after_a_build(tmp_path, temporary, monkeypatch):
    write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    numbers = count()
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(marked(row, numbers)) + "\n" for row in rows()))
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, f"{MARK}{next(numbers)}")
    assert next(numbers) > 40
    for name in ("TMPDIR", "RAY_TMPDIR"):
        monkeypatch.setenv(name, str(temporary))
    overrides = ["download.attempts=1", f"download.proxy=http://me:{MARK}@127.0.0.1:9"]
    build = start(manifest, tmp_path / "corpus", *overrides)
    said, _ = build.communicate(timeout=600)
    assert build.returncode == 0, said
    assert MARK not in said
    found = [
        path
        for folder in (tmp_path / "corpus", temporary)
        for path in folder.rglob("*")
        if path.is_file() and MARK.encode() in path.read_bytes()
    ]
    assert found == []
    assert any(temporary.rglob("*.log"))
    assert len(list((tmp_path / "corpus" / "units").rglob("*.reject.json"))) == len(HTTP) + 2 * len(ANNOTATIONS)


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_no_message_about_a_refused_row_tells_a_secret(tmp_path, row):
    (tmp_path / "m.jsonl").write_text(json.dumps(marked(row, count())))
    with pytest.raises(ConfigError, match="line 1") as refused:
        read_manifest(tmp_path / "m.jsonl")
    assert MARK not in str(refused.value)
