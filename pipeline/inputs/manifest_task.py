"""Reads a manifest in the sandbox: the task, and the function that calls it."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.inputs.manifest_formats import read_rows, suffix_of
from pipeline.inputs.manifest_rows import ManifestError
from schemas.rejects import Reject
from schemas.rows import Row
from stages.annotations.json_text import MAX_DEPTH, load_json
from stages.annotations.text import AnnotationError
from workers.fetch.redaction import redacted
from workers.sandbox.client import sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits
from workers.sandbox.task import Message
from workers.storage.files import COPY_BYTES, open_file

_JSON = (str, int, float, bool, list, dict, type(None))
_MESSAGE_CHARACTERS = 1 << 20
_LIMITS = SandboxLimits(memory_mb=2048, stall_cpu_s=60)


def read_manifest_rows(file: int, *, name: str) -> Iterator[Message]:
    """Yields messages with rows, each a JSON list of pairs of place and row. Raises Reject."""
    batch: list[str] = []
    characters = 0
    try:
        with os.fdopen(os.dup(file), "rb", buffering=1 << 20) as source:
            for where, row in read_rows(source, name):
                batch.append(json.dumps([where, _as_json(row)], default=str))
                characters += len(batch[-1])
                if characters > _MESSAGE_CHARACTERS:
                    yield _message(batch)
                    batch, characters = [], 0
    except ManifestError as error:
        # Rows before this one are sent first: the caller may find an error in them, and names the first one.
        yield _message(batch)
        raise Reject("bad_annotation", str(error)) from None
    yield _message(batch)


def _message(batch: list[str]) -> Message:
    return {}, f"[{','.join(batch)}]".encode()


def _as_json(row: Any) -> Any:
    """Returns a row that JSON can represent; other types become lists, which the caller rejects in text columns."""
    if not isinstance(row, dict):
        return row
    return {column: value if isinstance(value, _JSON) else [type(value).__name__] for column, value in row.items()}


TASKS = {"read_manifest_rows": read_manifest_rows}


def raw_rows(folder: str, name: str) -> Iterator[tuple[str, Row]]:
    """Yields the rows of a manifest as written, each with its place for messages, read in the sandbox.

    Raises ManifestError, also for a file that crashes the sandbox process or exceeds its limits.
    """
    suffix_of(name)
    try:
        with _local(folder, name) as path:
            for _, payload in sandbox(__name__, _LIMITS).call("read_manifest_rows", path, name=name):
                yield from _checked(load_json(payload.decode(), MAX_DEPTH + 2))
    except Reject as reject:
        raise ManifestError(reject.detail) from None
    except SandboxError as error:
        raise ManifestError(f"{name}: cannot be read in the sandbox: {error}") from None
    except (AnnotationError, TypeError, UnicodeDecodeError):
        raise ManifestError(f"{name}: cannot be read: the sandbox process sent invalid output") from None
    except FileNotFoundError:
        raise ManifestError(
            f"{name}: no such file in {redacted(folder)}; `longvid manifest DIR` makes a manifest of a folder of videos"
        ) from None


def _checked(rows: Any) -> Iterator[tuple[str, Row]]:
    """Checks output of the sandbox process, which a file may control. Raises TypeError if it is not a list of rows."""
    for where, row in rows:
        if not isinstance(where, str):
            raise TypeError(where)
        yield where, row


@contextmanager
def _local(folder: str, name: str) -> Iterator[str]:
    """Yields a path of the manifest on this machine, valid inside the block."""
    if "://" not in folder:
        yield f"{folder}/{name}"
        return
    with tempfile.NamedTemporaryFile() as copy, open_file(folder, name) as source:
        shutil.copyfileobj(source, copy, COPY_BYTES)
        copy.flush()
        yield copy.name
