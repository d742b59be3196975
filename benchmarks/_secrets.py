"""A build of a manifest with marked secrets in all its columns, and a search for marks in all that it left."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.demo import write_demo

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
KEYS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
NUM_REJECTS = len(HTTP) + 2 * len(ANNOTATIONS)


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a build over marked secrets left."""

    planted: int
    found: list[str]
    """Files with a mark in them, by their place in the corpus or in the temporary folder, and "the terminal"."""
    logs: int
    """Log files that were searched: without any there was nothing to find."""
    rejects: int
    exit_code: int
    said: str


def marked(value: Any, numbers: Iterator[int]) -> Any:
    """The value with a mark of its own for each `{}` in its texts."""
    if isinstance(value, dict):
        return {marked(key, numbers): marked(item, numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item, numbers) for item in value]
    while isinstance(value, str) and "{}" in value:
        value = value.replace("{}", f"{MARK}{next(numbers):02}", 1)
    return value


def search(folder: Path) -> Search:
    """Builds a corpus in `folder`; searches it, the terminal, and the temporary folder of the build."""
    world = write_demo(folder / "world", videos=1, seconds=40, seed=5)
    shutil.copy(world.parent / json.loads(world.read_text().splitlines()[0])["uri"], folder / "v.mp4")
    numbers, manifest, corpus = count(), folder / "m.jsonl", folder / "corpus"
    manifest.write_text("".join(json.dumps(marked(row, numbers)) + "\n" for row in _rows()))
    keys = {name: f"{MARK}{next(numbers)}" for name in KEYS}
    settings = ("download.attempts=1", f"download.proxy=http://me:{MARK}{next(numbers)}@127.0.0.1:9")
    options = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "pipeline", "build", "--manifest", str(manifest), "--out", str(corpus)]
    with tempfile.TemporaryDirectory(
        prefix="lv", dir="/tmp", ignore_cleanup_errors=True
    ) as temporary:  # sockets' paths
        environment = {**os.environ, **keys, "TMPDIR": temporary, "RAY_TMPDIR": temporary}
        environment.pop("RAY_ADDRESS", None)
        done = subprocess.run(
            [*command, "--recipe", "demo", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        files = [
            (path, str(path.relative_to(place)))
            for place in (corpus, Path(temporary))
            for path in place.rglob("*")
            if path.is_file()
        ]
        found = [name for path, name in files if MARK.encode() in path.read_bytes()]
    return Search(
        planted=next(numbers),
        found=[*found, *(["the terminal"] if MARK in done.stdout else [])],
        logs=sum(name.endswith(".log") for _, name in files),
        rejects=sum(name.endswith(".reject.json") for _, name in files),
        exit_code=done.returncode,
        said=done.stdout[-800:],
    )


def _rows() -> Iterator[dict[str, Any]]:
    for number, uri in enumerate(HTTP):
        yield {"id": f"http {number}", "uri": uri}
    for number, address in enumerate(ANNOTATIONS):
        yield {"id": f"subtitles {number}", "uri": "v.mp4", "subtitles": [address]}
        yield {"id": f"events {number}", "uri": "v.mp4", "events_file": address}
    for text in FREE_TEXT:
        yield {"id": text, "uri": "v.mp4", "licence": text, "source": text}
