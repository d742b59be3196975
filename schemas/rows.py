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
