"""The task of `workers.sandbox` that writes the pairs of a video: their number of steps is not bound by any text."""

import json
from collections import Counter
from collections.abc import Iterator
from math import inf
from typing import Any

import langdetect  # noqa: F401 - imported late elsewhere; here once, and not in each process of the sandbox

from schemas.config import parse
from stages.qa import lexicon, spelling
from stages.qa.config import WritingConfig
from stages.qa.make_events import split_events
from stages.qa.windows import write_window_pairs
from stages.qa.writing import write_pairs
from workers.sandbox.task import Message, Task, read_all

spelling.load()
lexicon.load()


def write(
    file: int, duration_s: float, video_id: str, clips: list[list[float]], config: dict[str, Any]
) -> Iterator[Message]:
    """Sends a message per pair, its row as JSON; at last one with what was left out.

    Args:
        file: JSON, rows of EVENT, what `stages.qa.paraphrases` found, or null, and rows of EVENT of each other video.
        clips: windows that are samples of their own; none: the video is one.
    """
    counts: Counter[str] = Counter()
    settings = parse(WritingConfig, config)
    events, meanings, others = json.loads(read_all(file))
    if clips:
        windows = [(start, end) for start, end in clips]
        pairs = write_window_pairs(events, duration_s, windows, settings, video_id, counts=counts, meanings=meanings)
    else:
        pairs = write_pairs(events, duration_s, settings, video_id, counts=counts, meanings=meanings, others=others)
    for pair in pairs:
        yield {}, json.dumps(pair).encode()
    yield {"dropped": True}, json.dumps(counts).encode()


def sentences(file: int, duration_s: float, config: dict[str, Any]) -> Iterator[Message]:
    """Sends one message: each event as questions quote it, each text once. `file` is as for `write`."""
    events, _, others = json.loads(read_all(file))
    settings = parse(WritingConfig, config)
    made, _, _ = split_events(events, duration_s, settings)
    made += [event for rows in others for event in split_events(rows, inf, settings)[0]]
    yield {}, json.dumps(list(dict.fromkeys(e.text for e in made if e.kind != "speech"))).encode()


TASKS: dict[str, Task] = {"write": write, "sentences": sentences}
