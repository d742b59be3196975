"""caption: describes the frames of a segment as timed events, by a vision-language model. Segment -> events, 1:N."""

import base64
import json
from collections.abc import Iterator
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables.text import SEGMENT_TEXT
from stages.caption_frames import choose_frames
from stages.prompts import prompt, prompt_hash
from workers.endpoint.answers import Answer, BadAnswer, Sentence
from workers.endpoint.config import TOKENS_PER_IMAGE, EndpointConfig
from workers.storage.store import Store

READS = pa.schema(
    [
        ("video_id", pa.string()),
        ("segment_id", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("decode_unit", pa.string()),
        ("cuts_s", pa.list_(pa.float64())),  # inside the segment
    ]
)
_SLACK_S = 2.0  # an event may extend this far beyond the segment and is clipped, since models round times


class CaptionConfig(StageConfig):
    """Sets how a model describes the videos whose manifest has neither `events` nor `events_file`."""

    max_frames: int = Field(24, ge=1, le=500)
    """Maximum number of frames per segment that are sent to the model."""
    max_events: int = Field(60, ge=1, le=1000)
    """Maximum number of events per segment; an answer with more is bad."""
    endpoint: EndpointConfig = Field(EndpointConfig(), exclude=True)
    """`annotate.endpoint`."""
    # Mostly waits for the model: the number of workers is the number of concurrent requests.
    resources: Resources = Resources(cpus=0.25, workers=(1, 8))

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on, with those of the endpoint and a hash of the prompt."""
        return {**super().semantic(), "endpoint": self.endpoint.content(), "prompt": prompt_hash("caption")}

    def expected_cost(self) -> dict[str, float]:
        """Returns the expected cost of a segment: one call with the frames."""
        return {"calls": 1, "tokens_in": 500 + self.max_frames * TOKENS_PER_IMAGE, "tokens_out": 500}


class CaptionedEvent(Answer):
    """An event of a segment."""

    start_s: float
    end_s: float
    kind: Literal["event", "scene"]
    text: Sentence


class Captions(Answer):
    """The answer of the model."""

    events: list[CaptionedEvent]


def caption(unit: dict[str, Any], config: CaptionConfig, store: Store) -> Iterator[pa.Table]:
    """Yields rows of SEGMENT_TEXT, sorted by time.

    Raises:
        Reject: `bad_answer`, `endpoint_failed`, `endpoint_cap`, `no_frames`.
    """
    frames = store.read_table(unit["decode_unit"], ["time_s", "jpeg"])
    if not frames.num_rows:
        raise Reject("no_frames", "the segment has no frames")
    chosen = frames.take(choose_frames(frames["time_s"].to_pylist(), unit["cuts_s"], config.max_frames))
    start_s, end_s = unit["start_s"], unit["end_s"]

    def check(answer: Captions) -> list[CaptionedEvent]:
        if len(answer.events) > config.max_events:
            raise BadAnswer(f"{len(answer.events)} events, above caption.max_events = {config.max_events}")
        if any(not start_s - _SLACK_S <= e.start_s <= e.end_s <= end_s + _SLACK_S for e in answer.events) or any(
            e.end_s < start_s or e.start_s > end_s for e in answer.events
        ):
            raise BadAnswer("an event lies outside of the segment, or ends before it starts")
        return sorted(answer.events, key=lambda e: (e.start_s, e.end_s, e.text))

    from workers.endpoint.client import Endpoint, Request  # with an HTTP client, which commands do not need

    try:
        events = Endpoint(config.endpoint, store, "caption").ask(
            Request(_messages(start_s, end_s, chosen.to_pylist()), Captions, check)
        )
    except BadAnswer as bad:
        raise Reject("bad_answer", str(bad)) from None
    rows = [
        {
            "video_id": unit["video_id"],
            "segment_id": unit["segment_id"],
            "start_s": max(event.start_s, start_s),
            "end_s": min(event.end_s, end_s),
            "kind": event.kind,
            "text": event.text,
        }
        for event in events
    ]
    yield pa.Table.from_pylist(rows, SEGMENT_TEXT)


def _messages(start_s: float, end_s: float, frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = json.dumps({"start_s": round(start_s, 2), "end_s": round(end_s, 2)})
    parts: list[dict[str, Any]] = [{"type": "text", "text": told}]
    for frame in frames:
        url = f"data:image/jpeg;base64,{base64.b64encode(frame['jpeg']).decode()}"
        parts += [
            {"type": "text", "text": f"{frame['time_s']:.2f} s:"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
    return [{"role": "system", "content": prompt("caption")}, {"role": "user", "content": parts}]


def stage(config: CaptionConfig) -> Stage:
    """Declares the stage."""
    return Stage(
        name="caption",
        reads=READS,
        writes=SEGMENT_TEXT,
        run=caption,
        config=config,
        emits="unit",
        kind="segment",
    )
