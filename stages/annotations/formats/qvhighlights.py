"""QVHighlights: one query with its windows per line. Times count from the start of the cut, which is part of the id.

    {"qid": 2027, "query": "A lady capturing various attractive interior designs", "duration": 150,
     "vid": "q8YvpLSXQnk_360.0_510.0",
     "relevant_windows": [[108, 150]],
     "relevant_clip_ids": [54, 55], "saliency_scores": [[2, 2, 4], [2, 4, 4]]}

The file may be the cut (`q8YvpLSXQnk_360.0_510.0.mp4`) or the whole video (`q8YvpLSXQnk.mp4`).
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, list_of, pair, row, seconds, text_of

_CUT = re.compile(r"(.{1,100})_(\d{1,6}\.\d)_(\d{1,6}\.\d)")


def _is_of(key: str, value: Any) -> bool:
    return not key and isinstance(value, dict) and {"qid", "query", "vid"} <= value.keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    video = text_of(value["vid"])
    windows = list_of(value.get("relevant_windows"))
    rows = [row(*pair(window), value["query"]) for window in windows]
    cut = _CUT.fullmatch(video)
    whole, offset_s = (cut[1], float(cut[2])) if cut else ("", 0.0)
    # The part of the test has no windows.
    yield Entry(video, rows, seconds(value.get("duration")), whole, offset_s, dropped={} if windows else {"no_time": 1})


FORMAT = Format("qvhighlights", _is_of, _read)
