"""The task of `workers.sandbox` that writes the pairs of a video: their number of steps is not bound by any text."""

import json
from collections.abc import Iterator
from typing import Any

from schemas.config import parse
from stages.qa.config import WritingConfig
from stages.qa.writing import write_pairs
from workers.sandbox.task import Message, Task, read_all


def write(file: int, duration_s: float, video_id: str, config: dict[str, Any]) -> Iterator[Message]:
    """A message per pair, its row as JSON. The file holds rows of EVENT as JSON."""
    for pair in write_pairs(json.loads(read_all(file)), duration_s, parse(WritingConfig, config), video_id):
        yield {}, json.dumps(pair).encode()


TASKS: dict[str, Task] = {"write": write}
