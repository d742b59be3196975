"""From rows of annotation to events: cleaned, cut into sentences, repeats put together."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from schemas.rows import EventRow
from stages.qa.cause import cause_of
from stages.qa.clean import sentences
from stages.qa.config import WritingConfig
from stages.qa.event import Event, overlap_s
from stages.qa.faults import fault_of, fault_of_line
from stages.qa.instructions import told_as_most
from stages.qa.language import language_of
from stages.qa.similarity import same_words

# A pause shorter than this share of an event is no end of it.
PAUSE_SHARE = 0.1
# Captions for the deaf name who speaks: "MAN 2: Hello." Nobody says that.
_SPEAKER = re.compile(r"^(?:[A-Z][A-Z.'-]+(?: (?:[A-Z][A-Z.'-]+|#?\d+|[A-Z]))*|[A-Z][A-Z]?\d): ")
_BEFORE_MARK = re.compile(r" (?=[!?]+$)")
# A longer pause is told as one: there the event does not happen.
_LONGEST_PAUSE_S = 0.5
# Repeats that overlap have about one span where they share so much of both.
_SAME_SPAN = 0.9
KINDS = {
    "event": "event",
    "caption": "event",
    "scene": "scene",
    "chapter": "scene",
    "speech": "speech",
    "clip": "event",
}


def make_events(
    rows: Iterable[EventRow], duration_s: float, config: WritingConfig, meanings: Mapping[str, str] | None = None
) -> tuple[list[Event], Counter[str], str]:
    """Returns events sorted by start, how many rows were left out by reason, and the language.

    Args:
        rows: of the schema EVENT; conversations are left to others.
        duration_s: of the video.
        meanings: which texts say another again, from `stages.qa.paraphrases`; None: not looked for.

    Returns:
        Reasons: `outside_video`, `no_event` (music, camera talk, marks of doubt), `other_language`, `merged`, and of
        events that stay but are not told, those of `stages.qa.faults`.
    """
    events, left_out, language = split_events(rows, duration_s, config, meanings)
    merged = merge_touching(events, config.touch_s)
    left_out["merged"] = len(events) - len(merged)
    return merged, +left_out, language


def split_events(
    rows: Iterable[EventRow], duration_s: float, config: WritingConfig, meanings: Mapping[str, str] | None = None
) -> tuple[list[Event], Counter[str], str]:
    """Makes events as `make_events` does, but leaves repeats as they are."""
    left_out: Counter[str] = Counter()
    rows = [row for row in rows if row["kind"] != "conversation"]
    language = language_of([row["text"] for row in rows if row["kind"] != "speech"] or [row["text"] for row in rows])
    if config.languages and language not in (*config.languages, ""):
        left_out["other_language"] = len(rows)
        return [], left_out, language
    events: list[Event] = []
    for row in sorted(rows, key=lambda row: (row["start_s"], row["end_s"], row["event_id"])):
        start, end = row["start_s"], row["end_s"]
        assert start is not None and end is not None  # only conversations have no times
        if start >= duration_s:
            left_out["outside_video"] += 1
            continue
        made = _split(row, start, min(end, duration_s), language in ("en", ""))
        left_out["no_event"] += not made
        events += made
    events = _told_as_most(events) if language in ("en", "") else events
    left_out.update(e.fault for e in events if e.fault)
    events.sort(key=lambda e: (e.start_s, e.end_s, e.event_id, e.text))
    if meanings is not None:
        events = [replace(e, meaning=meanings.get(e.text, e.text)) for e in events]
    return _grouped(events), +left_out, language


def _split(row: EventRow, start: float, end: float, is_english: bool) -> list[Event]:
    kind = KINDS[row["kind"]]
    if kind == "speech":
        # Markup leaves a space before a comma.
        text = _SPEAKER.sub("", " ".join(row["text"].replace('"', "'").split()).replace(" , ", ", "))
        text = _BEFORE_MARK.sub("", text) if is_english else text
        fault = fault_of_line(text) if is_english else ""
        return (
            [Event(row["event_id"], start, end, kind, text, fault=fault, event_ids=(row["event_id"],))] if text else []
        )
    told = sentences(row["text"], is_english)
    step = (end - start) / len(told) if told else 0.0
    return [
        Event(
            row["event_id"],
            start + i * step,
            start + (i + 1) * step,
            kind,
            text,
            is_point=bool(row.get("is_point")),
            is_spread=len(told) > 1,
            is_title=row["kind"] == "chapter",
            is_caption=row["kind"] in ("caption", "clip"),
            cause=cause_of(text),
            fault=_fault(text, row["kind"], len(told)) if is_english else "",
            event_ids=(row["event_id"],),
        )
        for i, text in enumerate(told)
    ]


def _told_as_most(events: list[Event]) -> list[Event]:
    """Tells visual events in the form that most of them have; what cannot be is left untold."""
    visual = [e for e in events if e.kind == "event"]
    told = [
        e if text == e.text else replace(e, text=text) if text else replace(e, fault=e.fault or "keywords")
        for e, text in zip(visual, told_as_most([e.text for e in visual]), strict=True)
    ]
    return [*told, *(e for e in events if e.kind != "event")]


def _fault(text: str, kind: str, count: int) -> str:
    is_caption = kind in ("caption", "clip")
    return fault_of(text, is_caption=is_caption, is_title=KINDS[kind] == "scene", is_alone=count == 1)


def _grouped(events: Sequence[Event]) -> list[Event]:
    """Numbers the events by their words, but for articles, endings and case; kinds apart."""
    numbers: dict[tuple[str, object], int] = {}
    return [replace(e, group=numbers.setdefault((e.kind, same_words(e.text)), len(numbers))) for e in events]


def merge_touching(events: Sequence[Event], touch_s: float) -> list[Event]:
    """Returns events in time order, with repeats of a group that lie at most `touch_s` apart merged."""
    last: dict[int, int] = {}
    merged: list[Event] = []
    for event in events:
        before = last.get(event.group)
        first = merged[before] if before is not None else event
        longer = max(first.end_s - first.start_s, event.end_s - event.start_s)
        if before is not None and event.start_s <= first.end_s + max(touch_s, PAUSE_SHARE * longer):
            merged[before] = replace(
                first,
                end_s=max(first.end_s, event.end_s),
                is_point=first.is_point and event.is_point,
                has_pause=first.has_pause or event.start_s > first.end_s + _LONGEST_PAUSE_S or _is_a_part(event, first),
                is_joined=first.is_joined or not _is_same_span(event, first),
                event_ids=tuple(dict.fromkeys((*first.event_ids, *event.event_ids))),
            )
            continue
        last[event.group] = len(merged)
        merged.append(event)
    return merged


def _is_a_part(event: Event, first: Event) -> bool:
    """Whether a repeat lies within another: of "slice onion", "slice onion" may be what is left after "peel onion"."""
    shared, shorter = overlap_s(event.span, first.span), min(event.end_s - event.start_s, first.end_s - first.start_s)
    return shared > 0.5 * shorter and not _is_same_span(event, first)


def _is_same_span(event: Event, first: Event) -> bool:
    """Whether two annotators tell of one event, at about the same time."""
    both = max(event.end_s, first.end_s) - first.start_s
    return overlap_s(event.span, first.span) >= _SAME_SPAN * both
