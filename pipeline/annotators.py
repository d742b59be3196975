"""What models are asked to annotate: segments of the videos of which nothing is known; and what came of it."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from pipeline.tables.workspace import Workspace
from stages import annotate, caption, merge_captions, transcribe

TRANSCRIBE = pa.schema([*transcribe.READS, ("name", pa.string())])
CAPTION = pa.schema([*caption.READS, ("name", pa.string())])
QUESTION_COLUMNS = pa.schema(
    [
        field
        for field in (*merge_captions.READS, *annotate.MODEL_READS)
        if field.name not in ("video_id", "merge_captions_unit")
    ]
)
"""Columns of the phase `questions` that tell what models did."""

_UNCAPTIONED = """
    select i.video_id, i.name, segment_id, i.start_s, i.end_s, decode_unit,
           coalesce(list(s.start_s order by s.start_s) filter (s.start_s is not null), []) as cuts_s
    from ingest i left join shots s on s.video_id = i.video_id and s.start_s > i.start_s and s.start_s < i.end_s
    where reject is null
          and i.video_id in (select video_id from manifest where events is null and events_file is null)
    group by all order by i.video_id, segment_id"""
_UNTRANSCRIBED = """
    select i.*, m.uri as location from ingest i join manifest m using (video_id)
    where reject is null and audio_codec is not null and coalesce(len(m.subtitles), 0) = 0
    order by video_id, segment_id"""
_RESULTS = """
    select video_id, list({0}_unit order by segment_id) filter (reject is null and {0}_unit is not null) as {0}_units,
           (count(*) filter (reject is not null))::int as rejected
    from {0} group by video_id"""
_NOTHING = "select null::varchar as video_id, null::varchar[] as {0}_units, 0 as rejected where false"


def uncaptioned(work: Workspace) -> Iterator[pa.Table]:
    """Segments to caption: of the videos whose manifest has no events."""
    yield from work.sql(_UNCAPTIONED, CAPTION)


def untranscribed(work: Workspace) -> Iterator[pa.Table]:
    """Segments to transcribe: of the videos with sound whose manifest has no subtitles."""
    yield from work.sql(_UNTRANSCRIBED, TRANSCRIBE)


def with_results(query: str, annotators: Iterable[str]) -> str:
    """A query of videos with the columns of QUESTION_COLUMNS.

    Args:
        annotators: those of `transcribe` and `caption` that are asked.
    """
    caption, transcribe = (
        (_RESULTS if name in annotators else _NOTHING).format(name) for name in ("caption", "transcribe")
    )
    return f"""
        select q.*, caption_units, coalesce(c.rejected, 0)::int as uncaptioned_segments, transcribe_units,
               (coalesce(c.rejected, 0) + coalesce(t.rejected, 0))::int as rejected_segments
        from ({query}) q left join ({caption}) c using (video_id) left join ({transcribe}) t using (video_id)
        order by q.duration_s desc, video_id"""
