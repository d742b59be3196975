"""Keeps records on disk in buckets, so that memory holds one bucket at a time."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any


class Spool(ExitStack):
    """Keeps buckets of JSON records in temporary files, which disappear when the block of this context manager ends."""

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[int, IO[str]] = {}

    def put(self, bucket: int, record: Any) -> None:
        """Appends a record to a bucket; types that JSON lacks, such as dates, become text. Raises RecursionError."""
        if bucket not in self._files:
            file = tempfile.TemporaryFile("w+", encoding="ascii", prefix="longvid-")  # noqa: SIM115 - the stack closes it
            self._files[bucket] = self.enter_context(file)
        self._files[bucket].write(json.dumps(record, default=str) + "\n")

    def read(self, bucket: int) -> Iterator[Any]:
        """Yields the records of a bucket in their order."""
        if file := self._files.get(bucket):
            file.seek(0)
            yield from map(json.loads, file)
