"""Two small stages that use both kinds of emitting: split a text into words, and shout each."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa

from schemas.config import Resources, StageConfig
from schemas.rejects import BuildStopped, Reject
from schemas.stage import Stage

TEXTS = pa.schema([("video_id", pa.string()), ("name", pa.string()), ("text", pa.string())])
WORD = pa.schema([("video_id", pa.string()), ("segment_id", pa.string()), ("word", pa.string())])
SHOUT = pa.schema([("segment_id", pa.string()), ("shout", pa.string())])


class SplitConfig(StageConfig):
    resources: Resources = Resources(cpus=0.25)
    separator: str = " "


class ShoutConfig(StageConfig):
    resources: Resources = Resources(cpus=0.25, workers=(1, 2))
    mark: str = "!"
    died: str = ""
    """A folder: who shouts "die" leaves a file there and kills its process, ..."""
    crashes: int = 1
    """... so many times."""


def split(unit: dict[str, Any], config: SplitConfig, store) -> Iterator[pa.Table]:
    if unit["text"] == "expired":
        raise BuildStopped("s3://words: the credentials are not accepted")
    if not unit["text"]:
        raise Reject("empty_file", "no text")
    words = unit["text"].split(config.separator)
    ids = [f"{unit['video_id']}-{i:05d}" for i in range(len(words))]
    yield pa.table({"video_id": [unit["video_id"]] * len(words), "segment_id": ids, "word": words}, WORD)


class Shout:
    def __init__(self, config: ShoutConfig, store) -> None:
        if config.mark == "none":
            raise LookupError("there is no mark")
        self.config = config

    def __call__(self, unit: dict[str, Any]) -> Iterator[pa.Table]:
        if unit["word"] == "fail":
            raise ZeroDivisionError("the word was fail")
        if unit["word"] == "die" and len(list(Path(self.config.died).iterdir())) < self.config.crashes:
            (Path(self.config.died) / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if unit["word"] == "always":
            os.kill(os.getpid(), signal.SIGKILL)
        yield pa.table({"segment_id": [unit["segment_id"]], "shout": [unit["word"].upper() + self.config.mark]}, SHOUT)


def wait_until(true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 300
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.05)


def meet(unit: dict[str, Any], config: ShoutConfig, store) -> Iterator[pa.Table]:
    """Waits until another unit is at work beside it."""
    store.write_bytes(f"met/{unit['segment_id']}", b"")
    wait_until(lambda: len(list(store.files("met"))) >= 2, "no other unit came")
    yield pa.table({"segment_id": [unit["segment_id"]], "shout": [unit["word"]]}, SHOUT)


class Colleague:
    """Signs in as a file in `workers`. The word `many` waits for a second worker, `last` until it is alone."""

    def __init__(self, config: ShoutConfig, store) -> None:
        self.store = store
        store.write_bytes(f"workers/{os.getpid()}", b"")

    def _signed_in(self) -> list[int]:
        return [int(path.rpartition("/")[2]) for path in self.store.files("workers")]

    def __call__(self, unit: dict[str, Any]) -> Iterator[pa.Table]:
        if unit["word"] == "many":
            wait_until(lambda: len(self._signed_in()) >= 2, "no other worker came")
        if unit["word"] == "last":
            wait_until(lambda: sum(map(psutil.pid_exists, self._signed_in())) == 1, "the other workers stay")
        yield pa.table({"segment_id": [unit["segment_id"]], "shout": [unit["word"]]}, SHOUT)


class Late:
    """Shouts whether `tabnanny`, which nothing else imports, was there before this worker was."""

    def __init__(self, config: ShoutConfig, store) -> None:
        self.shout = str("tabnanny" in sys.modules)

    def __call__(self, unit: dict[str, Any]) -> Iterator[pa.Table]:
        yield pa.table({"segment_id": [unit["segment_id"]], "shout": [self.shout]}, SHOUT)


def stages(**shout: Any) -> list[Stage]:
    reads = pa.schema([("video_id", pa.string()), ("text", pa.string())])
    return [
        Stage(name="split", reads=reads, writes=WORD, run=split, config=SplitConfig(), emits="rows", fan_out="1:N"),
        Stage(
            name="shout",
            reads=pa.schema([("segment_id", pa.string()), ("word", pa.string())]),
            writes=SHOUT,
            run=Shout,
            config=ShoutConfig(**shout),
            emits="unit",
            kind="segment",
        ),
    ]
