"""merge_captions: merges the captions of a video's segments to events of the video, by a language model. N:1.

After LongVid (arXiv 2501.00574, section 4), where a model turns clip captions into events. Here the model only groups
captions and rewrites their texts: an event has the times of its captions. A caption remains a separate event if the
model does not merge it, or if the merged text does not contain what it says.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.rows import Row, TimedTextRow
from schemas.stage import Stage
from schemas.tables.text import TIMED_TEXT_NAMES, VIDEO_TEXT
from stages.prompts import prompt, prompt_hash
from stages.qa.similarity import content_words
from workers.endpoint.answers import Answer, BadAnswer, Sentence
from workers.endpoint.client import Endpoint, Request
from workers.endpoint.config import CHARS_PER_TOKEN, EndpointConfig
from workers.storage.store import Store

READS = pa.schema(
    [("video_id", pa.string()), ("caption_units", pa.list_(pa.string())), ("uncaptioned_segments", pa.int32())]
)
_MOST_VIDEO_TEXT = 8
CAPTIONS_PER_SEGMENT, CAPTION_CHARS = 12.0, 60.0
"""Assumed before any segment is captioned."""
# Characters of a caption in a request, and of an event in an answer, beside the text.
_CAPTION_JSON, _EVENT_JSON = 55, 35


class MergeCaptionsConfig(StageConfig):
    """Sets how captions are merged to events. The stage runs for the videos that `caption` describes."""

    window: int = Field(40, ge=2, le=1000)
    """Captions per request."""
    min_shared: float = Field(0.3, ge=0, le=0.5)
    """Minimum share of each caption's content words that the merged text must contain. Twice this share of the merged
    text's own words must come from its captions, so at most 0.5."""
    endpoint: EndpointConfig = Field(EndpointConfig(), exclude=True)
    """`annotate.endpoint`."""
    resources: Resources = Resources(cpus=0.25, workers=(1, 4))

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on, with those of the endpoint and a hash of the prompt."""
        return {**super().semantic(), "endpoint": self.endpoint.content(), "prompt": prompt_hash("merge_captions")}

    def expected_cost(self) -> dict[str, float]:
        """Returns the expected cost of a video of one segment."""
        return self.cost_of(CAPTIONS_PER_SEGMENT, CAPTION_CHARS)

    def cost_of(self, captions: float, chars: float) -> dict[str, float]:
        """Returns the expected cost of a video with so many captions, whose texts have so many characters on average.

        A window of one caption is not asked about.
        """
        calls = captions // self.window + (captions % self.window > 1)
        fixed = len(prompt("merge_captions")) + len(json.dumps(MergedEvents.model_json_schema()))
        characters = calls * fixed + captions * (chars + _CAPTION_JSON)
        merged = captions / 3 * (chars + _EVENT_JSON)
        return {"calls": calls, "tokens_in": characters / CHARS_PER_TOKEN, "tokens_out": merged / CHARS_PER_TOKEN}


class MergedEvent(Answer):
    """The numbers of the captions to merge, and the merged text."""

    captions: list[int]
    text: Sentence


class MergedEvents(Answer):
    """The answer of the model."""

    events: list[MergedEvent]


def merge_captions(unit: Row, config: MergeCaptionsConfig, store: Store) -> Iterator[pa.Table]:
    """Yields rows of VIDEO_TEXT, sorted by time; none for a video that was not captioned.

    Raises:
        Reject: `upstream_rejected` if no segment is captioned; `bad_answer`, `endpoint_failed`, `endpoint_cap`.
    """
    units, rejected = unit["caption_units"] or [], unit["uncaptioned_segments"] or 0
    if rejected and not units:
        raise Reject("upstream_rejected", f"all {rejected} segments of the video were rejected by caption")
    captions: list[TimedTextRow] = [
        row for path in units for row in store.read_table(path, TIMED_TEXT_NAMES).to_pylist()
    ]
    if units and not captions:
        raise Reject("bad_answer", f"the model finds no event in all {len(units)} segments")
    captions.sort(key=lambda row: (row["start_s"], row["end_s"], row["text"]))
    events = [row for row in captions if row["kind"] != "event"]
    told = [row for row in captions if row["kind"] == "event"]
    windows = [told[i : i + config.window] for i in range(0, len(told), config.window)]
    requests = [_request(window, config) for window in windows if len(window) > 1]
    endpoint = Endpoint(config.endpoint, store, "merge_captions") if requests else None
    answers = iter(endpoint.ask_all(requests) if endpoint else [])
    for window in windows:
        answer = next(answers) if len(window) > 1 else []
        if isinstance(answer, BadAnswer):
            raise Reject("bad_answer", str(answer))
        events += _merged(window, answer)
    events.sort(key=lambda row: (row["start_s"], row["end_s"], row["text"]))
    yield pa.Table.from_pylist([{**row, "video_id": unit["video_id"]} for row in events], VIDEO_TEXT)


def _request(captions: list[TimedTextRow], config: MergeCaptionsConfig) -> Request[MergedEvents]:
    told = [
        {"number": i, "start_s": round(c["start_s"], 2), "end_s": round(c["end_s"], 2), "text": c["text"]}
        for i, c in enumerate(captions, 1)
    ]

    def check(answer: MergedEvents) -> list[MergedEvent]:
        named = [number for event in answer.events for number in event.captions]
        if not all(1 <= number <= len(captions) for number in named) or len({*named}) < len(named):
            raise BadAnswer("a caption is named that is not there, or that is named twice")
        return [event for event in answer.events if _holds(event, captions, config.min_shared)]

    messages = [
        {"role": "system", "content": prompt("merge_captions")},
        {"role": "user", "content": json.dumps({"captions": told}, ensure_ascii=False)},
    ]
    return Request(messages, MergedEvents, check)


def _holds(event: MergedEvent, captions: Sequence[TimedTextRow], min_shared: float) -> bool:
    """Returns whether the captions of an event are consecutive and contain what its text says."""
    numbers = sorted(event.captions)
    if not 2 <= len(numbers) <= _MOST_VIDEO_TEXT or numbers[-1] - numbers[0] != len(numbers) - 1:
        return False
    words, named = content_words(event.text), [content_words(captions[n - 1]["text"]) for n in numbers]
    if not words or not all(named):
        return False
    own = len(words & frozenset().union(*named)) / len(words)
    return own >= 2 * min_shared and all(len(words & each) / len(each) >= min_shared for each in named)


def _merged(captions: Sequence[TimedTextRow], events: Sequence[MergedEvent]) -> list[TimedTextRow]:
    """Returns the events, and the captions that belong to none."""
    rows: list[TimedTextRow] = [
        {
            "kind": "event",
            "start_s": min(captions[n - 1]["start_s"] for n in event.captions),
            "end_s": max(captions[n - 1]["end_s"] for n in event.captions),
            "text": event.text,
        }
        for event in events
    ]
    taken = {n for event in events for n in event.captions}
    return rows + [row for n, row in enumerate(captions, 1) if n not in taken]


def stage(config: MergeCaptionsConfig) -> Stage:
    """Declares the stage."""
    return Stage(name="merge_captions", reads=READS, writes=VIDEO_TEXT, run=merge_captions, config=config, emits="unit")
