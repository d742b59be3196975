"""DiDeMo: a description, and the pieces of five seconds in which each of several annotators found it.

    [{"annotation_id": 49152, "video": "10015567@N08_3655084291_f8b58ce2da.mov", "num_segments": 6,
      "description": "the man in the hat briefly bends over the machine",
      "times": [[1, 1], [1, 1], [1, 1], [0, 0]],
      "dl_link": "https://www.flickr.com/video_download.gne?id=6060447507"}]

The event has the window given by most annotators, at least two; if no two agree, the row is dropped and counted.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, list_of, pair, seconds, text_of

_PIECE_S = 5.0


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, dict) and {"description", "times", "num_segments", "video"} <= value.keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    told = [tuple(map(seconds, pair(times))) for times in list_of(value["times"])]
    votes = Counter(times for times in told if None not in times)
    (first, last), count = votes.most_common(1)[0] if votes else ((None, None), 0)
    video = text_of(value["video"])
    if count < 2 or first is None or last is None:
        yield Entry(video, dropped={"annotators_disagree": 1})
        return
    yield Entry(video, [Row(first * _PIECE_S, (last + 1) * _PIECE_S, text_of(value["description"]))])


FORMAT = Format("didemo", _is_of, _read)
