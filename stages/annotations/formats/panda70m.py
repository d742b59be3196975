"""Panda-70M and Koala-36M: one CSV row per video, whose cells are lists in Python syntax.

    videoID,url,timestamp,caption,matching_score
    ---4IxR2xOg,https://www.youtube.com/watch?v=---4IxR2xOg,"[['0:00:16.300', '0:00:32.566']]","['A dog runs.']",[0.45]

Koala-36M has one span and one caption per row:

    videoID,url,timestamp,caption,clarity_score
    abcdefghijk,https://...,"['0:00:16.300', '0:00:32.566']",A dog runs.,0.9
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, list_of, pair, row, text_of


def _is_of(key: str, value: Any) -> bool:
    named = isinstance(value, dict) and {"videoID", "timestamp", "caption"} <= value.keys()
    return named and isinstance(value["timestamp"], str | list)


def _read(key: str, value: Any) -> Iterator[Entry]:
    spans, captions = list_of(value["timestamp"]), list_of(value["caption"])
    if len(spans) == 2 and not any(map(list_of, spans)):
        spans, captions = [spans], [value["caption"]]
    rows = [row(*pair(span), caption, "clip") for span, caption in zip(spans, captions, strict=False)]
    lost = abs(len(spans) - len(captions)) or int(not spans)
    yield Entry(text_of(value["videoID"]), rows, dropped={"no_time_or_text": lost})


FORMAT = Format("panda70m", _is_of, _read)
