r"""YouTube captions as json3 (yt-dlp: `--write-subs --sub-format json3`), manual or automatic. One file per video.

    {"wireMagic": "pb3", "events": [
        {"tStartMs": 0, "dDurationMs": 120000, "id": 1},
        {"tStartMs": 160, "dDurationMs": 3280, "segs": [{"utf8": "hi"}, {"utf8": " all", "tOffsetMs": 240}]},
        {"tStartMs": 1900, "dDurationMs": 1540, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 1910, "dDurationMs": 4000, "segs": [{"utf8": "today we cook"}]}]}

Events without words open a window or end a line. In automatic captions, a line is displayed until the line after the
next one begins; its event ends where the next line begins.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, list_of, seconds, text_of


def _is_of(key: str, value: Any) -> bool:
    if key or not isinstance(value, dict) or not isinstance(value.get("events"), list):
        return False
    return "wireMagic" in value or any("tStartMs" in dict_of(event) for event in value["events"][:5])


def _read(key: str, value: Any) -> Iterator[Entry]:
    rows = []
    for event in map(dict_of, value["events"]):
        text = "".join(text_of(dict_of(segment).get("utf8")) for segment in list_of(event.get("segs")))
        if text.strip():
            start, length = seconds(event.get("tStartMs")), seconds(event.get("dDurationMs", 0))
            if start is None or length is None:
                rows.append(Row(None, None, text, "speech"))
            else:
                rows.append(Row(start / 1000, (start + length) / 1000, text, "speech", has_unit=True))
    yield Entry("", rows)


FORMAT = Format("youtube_json3", _is_of, _read)
