"""Reads an annotation file in the sandbox: the task, and the function that calls it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

# Imported by the server process once; elsewhere these modules are imported late.
import charset_normalizer  # noqa: F401
import pysubs2  # noqa: F401
from pydantic import TypeAdapter, ValidationError

from schemas.rejects import Reject
from stages.annotations.formats.entry import Entry
from stages.annotations.formats.read import FormatReader
from stages.annotations.text import AnnotationError
from workers.sandbox.client import sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits
from workers.sandbox.task import Message

_BATCH_BYTES = 1 << 20
_ENTRIES = TypeAdapter(list[Entry])


def read_annotations(file: int, *, name: str, format_name: str) -> Iterator[Message]:
    """Yields messages with the name of the format, and entries as a JSON list. Raises Reject."""
    try:
        reader, batch, size = FormatReader(name, format_name), [], 0
        with os.fdopen(os.dup(file), "rb") as stream:
            for entry in reader.entries(stream):
                batch.append(json.dumps(entry))
                size += len(batch[-1])
                if size >= _BATCH_BYTES:
                    yield _message(reader, batch)
                    batch, size = [], 0
        yield _message(reader, batch)
    except AnnotationError as error:
        raise Reject("bad_annotation", str(error)) from None


TASKS = {"read_annotations": read_annotations}


def read_in_sandbox(
    path: Path, format_name: str = "", limits: SandboxLimits | None = None
) -> Iterator[tuple[str, list[Entry]]]:
    """Yields the format of an annotation file with some of its entries at a time, read in the sandbox.

    Raises AnnotationError, also for a file that crashes the sandbox process or exceeds its limits.
    """
    box = sandbox("stages.annotations.formats.task", limits or SandboxLimits())
    try:
        for header, payload in box.call("read_annotations", path, name=path.name, format_name=format_name):
            yield str(header["format"]), _ENTRIES.validate_json(payload)
    except Reject as reject:
        raise AnnotationError(reject.detail) from None
    except SandboxError as error:
        raise AnnotationError(f"cannot be read in the sandbox: {error}") from None
    except (ValidationError, KeyError):
        raise AnnotationError("cannot be read: the sandbox process sent invalid output") from None
    except OSError as error:
        raise AnnotationError(os.strerror(error.errno or 0)) from None


def _message(reader: FormatReader, batch: list[str]) -> Message:
    return {"format": reader.format.name if reader.format else ""}, f"[{','.join(batch)}]".encode()
