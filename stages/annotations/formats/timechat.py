"""TimeChat's evaluation files and its predictions.

    {"annotations": [{"image_id": "3MSZA.mp4", "caption": "person turn a light on.", "timestamp": [24.3, 30.4]},
                     {"image_id": "V53XmPeyjIU.mp4", "duration": "189.5", "segments": "[[16, 26]]",
                      "caption": "<time_token_8> <time_token_13> combine salt and milk in a bowl"}]}
    {"xHr8X2Wpmno.mp4": [{"timestamp": [21.9, 128.0], "caption": "cuts a cucumber."}]}
    {"3187": {"timestamp": [[20.8, 30.0]], "query": "person takes a drink.", "vid": "DOYQE.mp4"}}

Time tokens are hundredths of the duration. If `segments` has the same number of spans, these are used, since they are
exact. The second and the third form are predictions, which are read only with `--annotation-format timechat`.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, list_of, pair, row, seconds, text_of

_TOKENS = re.compile(r"<time_token_(\d{1,3})>\s*<time_token_(\d{1,3})>([^<]*)")
_MAX_TEXT = 1 << 16


def _is_of(key: str, value: Any) -> bool:
    if isinstance(value, list):
        return bool(key) and bool(value) and {"timestamp", "caption"} <= dict_of(value[0]).keys()
    if key:
        return {"timestamp", "query", "vid"} <= dict_of(value).keys()
    return {"image_id", "caption"} <= dict_of(value).keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, list):
        yield Entry(key, [row(*pair(dict_of(v).get("timestamp")), dict_of(v).get("caption")) for v in value])
    elif "query" in value:
        windows = list_of(value["timestamp"])
        rows = [row(*pair(window), value["query"]) for window in windows]
        yield Entry(text_of(value["vid"]), rows, dropped={} if windows else {"no_time": 1})
    elif "timestamp" in value:
        yield Entry(text_of(value["image_id"]), [row(*pair(value["timestamp"]), value["caption"])])
    else:
        duration_s = seconds(value.get("duration"))
        rows = list(_from_tokens(text_of(value["caption"])[:_MAX_TEXT], list_of(value.get("segments")), duration_s))
        yield Entry(text_of(value["image_id"]), rows, duration_s)


def _from_tokens(text: str, segments: list[Any], duration_s: float | None) -> Iterator[Row]:
    found = _TOKENS.findall(text)
    for index, (start, end, caption) in enumerate(found):
        if len(segments) == len(found):
            yield row(*pair(segments[index]), caption)
        elif duration_s is not None:
            yield row(int(start) * duration_s / 100, int(end) * duration_s / 100, caption)
        else:
            yield Row(None, None, caption)


def _is_prediction(key: str, value: Any) -> bool:
    return key != "" and _is_of(key, value)


FORMAT = Format("timechat", _is_of, _read, _is_prediction)
