"""Repairs the annotations of one video where possible, drops the others, and counts both.

`stages.annotations.reasons` lists the reasons.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from stages.annotations.formats.entry import Origin, Row

_MS_PER_S = 1000.0
# No annotated video is longer than a day.
_DAY_S = 86_400.0
# Tolerances for rounding and for durations measured in another way.
_SLACK, _SLACK_S = 1.02, 2.0
_LEAST = 0.05
_SHORTEST_S = 0.2
_MOST_WORDS = 60


def repair(
    rows: Iterable[Row], duration_s: float | None = None, labels: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Returns events sorted by time, in the format of an events file, and the number of rows per reason.

    Args:
        rows: rows of one video from all files that describe it, without markup.
        duration_s: duration of the video according to the files.
        labels: texts of the labels.
    """
    counts: Counter[str] = Counter()
    timed = _in_seconds(_complete(list(rows), labels or {}, counts), duration_s, counts)
    kept: dict[tuple[float | None, float | None, str, str], Row] = {}
    for found in timed:
        if placed := _place(found, duration_s, counts):
            same = (placed.start_s, placed.end_s, placed.kind, placed.text)
            counts["duplicate"] += same in kept
            kept.setdefault(same, placed)
    ordered = sorted(kept.values(), key=_order)
    speech = _unrolled([r for r in ordered if r.kind == "speech"], counts)
    other = [r for r in ordered if r.kind != "speech"]
    counts["overlapping"] = _overlaps(other)
    events = [_event(found) for found in sorted([*speech, *other], key=_order)]
    counts["points"] = sum("is_point" in event for event in events)
    counts["no_caption"] = sum(not event["text"] for event in events)
    return events, +counts


def _order(found: Row) -> tuple[float | None, float, str, str]:
    return (found.start_s, math.inf if found.end_s is None else found.end_s, found.kind, found.text)


def _complete(rows: list[Row], labels: Mapping[str, str], counts: Counter[str]) -> list[Row]:
    """Returns the rows that have text and time, which may also come from other rows and from labels."""
    times = {r.ref: r for r in rows if r.ref and r.start_s is not None}
    complete = []
    for found in rows:
        text = found.text or labels.get(found.label, "")
        start_s, end_s = found.start_s, found.end_s
        if start_s is None and found.ref in times:
            start_s, end_s = times[found.ref].start_s, times[found.ref].end_s
        if found.within and start_s is not None:
            scene = times.get(found.within)
            offset = scene.start_s if scene else None
            start_s = None if offset is None else start_s + offset
            end_s = None if end_s is None or offset is None else end_s + offset
        if not text and not (found.kind == "clip" and start_s is not None):
            # A row with only a reference and a time provides the time for other rows.
            counts["no_text"] += not (found.ref and found.start_s is not None)
        elif start_s is None:
            counts["no_time"] += 1
        else:
            complete.append(found._replace(start_s=start_s, end_s=end_s, text=text))
    return complete


def _in_seconds(rows: list[Row], duration_s: float | None, counts: Counter[str]) -> list[Row]:
    unclear = [(r.start_s or 0.0, r.end_s) for r in rows if not r.has_unit]
    if not are_milliseconds(unclear, duration_s):
        return rows
    counts["milliseconds"] = len(unclear)
    return [
        r
        if r.has_unit
        else r._replace(start_s=(r.start_s or 0.0) / _MS_PER_S, end_s=None if r.end_s is None else r.end_s / _MS_PER_S)
        for r in rows
    ]


def are_milliseconds(spans: Iterable[tuple[float, float | None]], duration_s: float | None) -> bool:
    """Returns whether the times of a video must be milliseconds.

    Most would be outside it as seconds, and all are inside it as milliseconds.

    Times in seconds of a longer cut of the video are distinguished from them by the last time, which must be after
    the first twentieth of the video as milliseconds, and by the median length, which must be at least that of a short
    word, as it is not of a video that was cut off early. Without a duration, all times must be whole numbers, and the
    last one greater than a day as seconds.
    """
    spans = list(spans)
    times = [time for span in spans for time in span if time is not None and time < math.inf]
    if not times or min(times) < 0:
        return False
    if duration_s is None:
        return max(times) > _DAY_S and all(time == int(time) for time in times)
    longest_s, last_s = duration_s * _SLACK + _SLACK_S, max(times) / _MS_PER_S
    lengths = sorted(end - start for start, end in spans if end is not None and end < math.inf)
    if lengths and lengths[len(lengths) // 2] < _SHORTEST_S * _MS_PER_S:
        return False
    beyond = sum((start if end is None else end) > longest_s for start, end in spans)
    return 2 * beyond > len(spans) and _LEAST * duration_s <= last_s <= longest_s


def _place(found: Row, duration_s: float | None, counts: Counter[str]) -> Row | None:
    """Returns the row with ordered times inside the video, or None if it is entirely outside."""
    start, end = found.start_s or 0.0, found.end_s
    if end is not None and end < start:
        counts["reversed"] += 1
        start, end = end, start
    is_before = end is not None and end <= 0 and start < 0
    if is_before or (duration_s is not None and start >= duration_s and (start, end) != (duration_s, duration_s)):
        counts["outside_video"] += 1
        return None
    last = duration_s if duration_s is not None and end is not None and end > duration_s else end
    counts["cut_to_video"] += start < 0 or last != end
    return found._replace(start_s=max(0.0, start), end_s=last)


def _unrolled(rows: list[Row], counts: Counter[str]) -> list[Row]:
    """Returns speech lines that do not overlap and do not repeat words of the previous line."""
    kept: list[Row] = []
    shown: list[str] = []
    for found in rows:
        words, last = found.text.split(), kept[-1] if kept else None
        start, before = found.start_s or 0.0, shown
        shown = words
        if last is None or (last.end_s is not None and last.end_s + 1.0 < start):
            kept.append(found)
            continue
        again = _shared_words(before, words)
        if again == len(words):
            counts["repeated_line"] += 1
            longer = None if last.end_s is None or found.end_s is None else max(last.end_s, found.end_s)
            kept[-1] = last._replace(end_s=longer)
            continue
        counts["rolling_words"] += again > 0
        if (last.end_s is None or last.end_s > start) and (last.start_s or 0.0) < start:
            counts["cut_to_next"] += 1
            kept[-1] = last._replace(end_s=start)
        kept.append(found._replace(text=" ".join(words[again:])))
    return kept


def _shared_words(before: list[str], words: list[str]) -> int:
    """Returns how many of the first words repeat the last words of the previous line.

    A single repeated word does not count, unless both lines consist of it.
    """
    for count in range(min(len(before), len(words), _MOST_WORDS), 1, -1):
        if before[-count:] == words[:count]:
            return count
    return int(len(words) == 1 and words == before)


def _overlaps(rows: list[Row]) -> int:
    count, reached = 0, 0.0
    for found in rows:
        count += (found.start_s or 0.0) < reached
        reached = max(reached, math.inf if found.end_s is None else found.end_s)
    return count


def _event(found: Row) -> dict[str, Any]:
    event: dict[str, Any] = {"start_s": found.start_s, "end_s": "end" if found.end_s is None else found.end_s}
    if found.is_point or found.end_s == found.start_s:
        event["is_point"] = True
    event |= {"kind": found.kind, "text": found.text}
    if origin := origin_fields(found.origin):
        event["origin"] = origin
    return event


def origin_fields(origin: Origin | None) -> dict[str, Any]:
    """Returns the known fields of an origin, in the format of an events file."""
    return {name: value for name, value in origin._asdict().items() if value} if origin else {}
