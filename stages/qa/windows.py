"""Pairs about windows of a video: each row of a clip list is a sample of its own (`write_qa.clips: windows`)."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from schemas.rows import EventRow, Row
from stages.qa.config import WritingConfig
from stages.qa.event import Event, Span, overlap_s
from stages.qa.make_events import merge_touching, split_events
from stages.qa.passed_through import passed_through
from stages.qa.timeline import Timeline
from stages.qa.writing import each_once, planned_pairs

# An event belongs to a window that holds so much of it.
_INSIDE = 0.8
# Events before and after a window that its questions may offer.
_NEAR = 12


def write_window_pairs(
    rows: Iterable[EventRow],
    duration_s: float,
    windows: Sequence[Span],
    config: WritingConfig,
    video_id: str,
    *,
    counts: Counter[str] | None = None,
    meanings: Mapping[str, str] | None = None,
) -> list[Row]:
    """Writes pairs as `stages.qa.writing.write_pairs` does, each window as if it were a video, in the order of time.

    In the texts, times count from the start of the window; in the columns of times, from that of the video. Pairs whose
    conversations came with the video are about all of it, and come last.

    Args:
        windows: (start_s, end_s) on the video's timeline.
        counts: is given what was left out, `outside_window` too: events of no window.
    """
    rows, counts = list(rows), Counter() if counts is None else counts
    events, left_out, language = split_events(rows, duration_s, config, meanings)
    counts.update(left_out)
    by_id = {row["event_id"]: row for row in rows}
    outside = {event.event_id for event in events}
    pairs: list[Row] = []
    cut = {(float(start), min(float(end), duration_s)) for start, end in windows}
    for start, end in sorted(window for window in cut if window[0] < window[1]):
        inside = _inside(events, (start, end))
        outside -= {event.event_id for event in inside}
        merged = merge_touching([_moved(e, start, end) for e in inside], config.touch_s)
        counts["merged"] += len(inside) - len(merged)
        elsewhere = tuple(_moved(e, start) for e in _elsewhere(events, (start, end)))
        name = f"{video_id}:{start}:{end}"
        own = [by_id[i] for i in dict.fromkeys(e.event_id for e in (*inside, *elsewhere))]
        timeline = Timeline(name, end - start, tuple(merged), config, elsewhere)
        pairs += [_placed(pair, video_id, (start, end)) for pair in planned_pairs(timeline, own, language, counts)]
    counts["outside_window"] += len(outside)
    return each_once([*pairs, *passed_through(rows, counts)], counts)


def _inside(events: Sequence[Event], window: Span) -> list[Event]:
    """Events that mostly lie in a window."""
    start, end = window
    first = bisect_left(events, start - (1 / _INSIDE - 1) * (end - start), key=lambda e: e.start_s)
    after = bisect_left(events, end, key=lambda e: e.start_s)
    return [e for e in events[first:after] if overlap_s(e.span, window) >= _INSIDE * (e.end_s - e.start_s)]


def _elsewhere(events: Sequence[Event], window: Span) -> list[Event]:
    """Those visual events nearest to a window that do not lie in it."""
    at = bisect_left(events, window[0], key=lambda e: e.start_s)
    after = bisect_left(events, window[1], key=lambda e: e.start_s)
    near = [*events[max(0, at - _NEAR) : at], *events[after : after + _NEAR]]
    return [e for e in near if e.kind == "event" and not e.is_spread and overlap_s(e.span, window) == 0]


def _moved(event: Event, start_s: float, end_s: float | None = None) -> Event:
    """The event on a window's clock, cut to it where its end is given."""
    start, end = event.start_s - start_s, event.end_s - start_s
    if end_s is not None:
        start, end = max(0.0, start), min(end, end_s - start_s)
    return replace(event, start_s=start, end_s=end)


def _placed(pair: Row, video_id: str, window: Span) -> Row:
    """A pair of a window with the video's id, its times on the video's timeline."""
    start, end = window

    def later(span: dict[str, float]) -> dict[str, float]:
        return {name: time + start for name, time in span.items()}

    own = {"start_s": start, "end_s": end}
    return {
        **pair,
        "video_id": video_id,
        "window": later(pair["window"]) if pair["window"] else own,
        "sample_window": own,
        "evidence": [later(span) for span in pair["evidence"]],
        **{name: pair[name] and [time + start for time in pair[name]] for name in ("option_times", "asked_times")},
    }
