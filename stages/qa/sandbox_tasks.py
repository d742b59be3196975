"""The task of `workers.sandbox` that writes the pairs of a video: their number of steps is not bound by any text."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from schemas.config import parse
from stages.qa.config import WritingConfig
from stages.qa.writing import write_pairs
from workers.sandbox.task import Message, Task, read_all


def write(file: int, duration_s: float, video_id: str, config: dict[str, Any]) -> Iterator[Message]:
    """A message per pair, its row as JSON; at last one with what was left out. The file holds rows of EVENT as JSON."""
    counts: Counter[str] = Counter()
    settings = parse(WritingConfig, config)
    for pair in write_pairs(json.loads(read_all(file)), duration_s, settings, video_id, counts=counts):
        yield {}, json.dumps(pair).encode()
    yield {"dropped": True}, json.dumps(counts).encode()


TASKS: dict[str, Task] = {"write": write}
