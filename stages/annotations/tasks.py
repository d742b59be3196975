"""The tasks of `workers.sandbox` that read what others wrote about a video: bytes in, events out."""

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any

# Elsewhere these are imported late; here once, and not in each process of the sandbox.
import charset_normalizer  # noqa: F401
import pysubs2  # noqa: F401

from schemas.rejects import Reject
from stages.annotations.encodings import ENCODINGS
from stages.annotations.sources import Known, read_conversations, read_event_file, read_events, read_subtitles
from stages.annotations.text import AnnotationError
from workers.sandbox.task import Message, Task, read_all

for encoding in ENCODINGS:
    codecs.lookup(encoding)  # loads what a locked process cannot


def _task(read: Callable[..., Known]) -> Task:
    """A task that yields one message: what is known but for the events, and the events as JSON."""

    def task(file: int, max_events: int, **options: Any) -> Iterator[Message]:
        try:
            known = read(read_all(file), **options)
        except AnnotationError as error:
            raise Reject("bad_annotation", str(error)) from None
        if len(known.events) > max_events:
            raise Reject("bad_annotation", f"{len(known.events)} events, above annotate.max_events = {max_events}")
        header = known._asdict()
        events = json.dumps(header.pop("events"), ensure_ascii=False)
        yield header, events.encode()

    return task


TASKS: dict[str, Task] = {
    "events": _task(read_events),
    "event_file": _task(read_event_file),
    "conversations": _task(read_conversations),
    "subtitles": _task(read_subtitles),
}
