"""Rows of units and tables as Python dicts, for the type checker.

`tests/schemas/test_rows.py` compares each with its Arrow schema in `schemas/tables/`.
"""

from typing import Any, NotRequired, TypedDict

Row = dict[str, Any]
"""A row whose columns depend on the stage or the query."""


class RejectRow(TypedDict):
    """Is a row of REJECT. A reject's own file does not hold its path."""

    unit: str | None
    kind: str
    stage: str
    video_id: str | None
    name: str | None
    reason: str
    detail: str
    attempts: int
    path: NotRequired[str]


class SpanRow(TypedDict):
    """Is a SPAN."""

    start_s: float
    end_s: float


class TimedTextRow(SpanRow):
    """Is a TIMED_TEXT."""

    kind: str
    text: str


class OriginRow(TypedDict):
    """Is an ORIGIN."""

    file: str | None
    row: int | None
    format: str | None
    licence: str | None
    prompt: str | None


class PairOriginRow(TypedDict):
    """Is a PAIR_ORIGIN."""

    source: str | None
    file: str | None
    format: str | None
    licence: str | None
    prompt: str | None
    rows: list[int]


class EventRow(TypedDict):
    """Is a row of EVENT."""

    video_id: str
    event_id: str
    start_s: float | None
    end_s: float | None
    kind: str
    text: str
    source: str
    is_point: bool | None
    origin: OriginRow


class LeftOutRow(TypedDict):
    """Is a LEFT_OUT."""

    reason: str
    count: int
    example: str


class AnnotationRow(TypedDict):
    """Is a row of ANNOTATION."""

    video_id: str
    events: list[EventRow]
    clips: list[SpanRow]
    annotation_flags: list[str]
    events_outside_video: int
    rows_left_out: list[LeftOutRow]


class QaRow(TypedDict):
    """Is a row of QA. Readers may leave out the large columns: conversations and embeddings."""

    video_id: str
    qa_id: str
    task: str
    question: str
    answer: str
    options: list[str]
    answer_index: int | None
    evidence: list[SpanRow]
    event_ids: list[str]
    other_video_id: str | None
    form: str
    hops: int | None
    solver_agrees: bool | None
    evidence_necessary: bool | None
    evidence_sufficient: bool | None
    language: str
    provenance: str
    annotations: list[PairOriginRow]
    realizer: str | None
    realizer_version: int | None
    models: list[str]
    prompts: list[str]
    seed: int | None
    conversations: NotRequired[str]
    flags: list[str]
    option_times: list[float] | None
    asked_times: list[float] | None
    window: SpanRow | None
    relation: str | None
    sample_window: SpanRow | None
    select_queries: NotRequired[list[list[float]]]
    merge_query: NotRequired[list[float]]


class AuditRow(TypedDict):
    """Is a row of AUDIT."""

    video_id: str
    qa_id: str
    problems: list[str]
    dropped: str | None
    blind_score: float | None
    blind_guess: bool | None


class DroppedRow(TypedDict):
    """Is a row of DROPPED."""

    video_id: str
    what: str
    reason: str
    count: int
    example: str | None


class Selected(TypedDict):
    """Has those columns of SELECTION that say which keyframes a QA pair has."""

    qa_id: str
    keyframes: list[int]


class GroupRow(TypedDict):
    """Is one of the `groups` of GROUPING."""

    sample_key: str
    first_row: int
    num_rows: int
    first_frame: int
    num_frames: int
    origin_s: float
    facts: str


class GroupingRow(TypedDict):
    """Is a row of GROUPING."""

    video_id: str
    split: str
    packed_bytes: int
    groups: list[GroupRow]


class SamplePlace(TypedDict):
    """Has those columns of SAMPLE that say where a QA pair lies, and whose it is."""

    qa_id: str
    video_id: str
    shard: str
    sample_key: str
    row: int
    qa_offset: int
    qa_bytes: int
    tokens_offset: int
    tokens_bytes: int
    duration_s: float


class ClipsPlace(SamplePlace, total=False):
    """Extends SamplePlace by the place of the clip tokens of the video, where these are read as well."""

    clips_offset: int | None
    clips_bytes: int | None
