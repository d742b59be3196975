"""Dense captions of ActivityNet Captions and of data sets with the same form: YouCook2 of PDVC, VidChapters, TACoS.

    {"v_QOlSCBRmfWY": {"duration": 82.73,
                       "timestamps": [[0.83, 19.86], [17.37, 60.81]],
                       "sentences": ["A young woman is seen standing in a room.", " She dances around it."]},
     "s13-d21.avi": {"timestamps": [[360, 444]], "sentences": ["He took out a knife."],
                     "fps": 29.4, "num_frames": 6800}}

If a video has `fps`, as in TACoS, its times are frame numbers.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, list_of, pair, row, seconds


def _is_of(key: str, value: Any) -> bool:
    return bool(key) and isinstance(value, dict) and {"timestamps", "sentences"} <= value.keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    spans, sentences = list_of(value["timestamps"]), list_of(value["sentences"])
    fps, duration_s = seconds(value.get("fps")), seconds(value.get("duration"))
    per_unit = 1.0
    if fps and fps > 0:
        per_unit, frames = fps, seconds(value.get("num_frames"))
        duration_s = frames / fps if frames else None
    rows = []
    for index, (span, sentence) in enumerate(zip(spans, sentences, strict=False)):
        found = row(*pair(span), sentence, ref=str(index))
        if found.start_s is not None and found.end_s is not None:
            found = found._replace(start_s=found.start_s / per_unit, end_s=found.end_s / per_unit)
        rows.append(found)
    unpaired = abs(len(spans) - len(sentences))
    yield Entry(key, rows, duration_s, dropped={"no_time_or_text": unpaired})


FORMAT = Format("activitynet", _is_of, _read)
