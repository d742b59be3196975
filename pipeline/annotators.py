"""Selects the segments that models annotate, those of videos without annotations, and collects the results."""

from collections.abc import Collection, Iterator

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
"""Columns of the phase `annotations` with the results of models."""

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
_OF_VIDEOS = {
    stage: f"""
    select video_id,
           list({stage}_unit order by segment_id) filter (reject is null and {stage}_unit is not null) as units,
           (count(*) filter (reject is not null))::int as rejected
    from {stage} group by video_id"""
    for stage in ("caption", "transcribe")
}
_RESULTS = pa.schema([("video_id", pa.string()), ("units", pa.list_(pa.string())), ("rejected", pa.int32())])


def uncaptioned(work: Workspace) -> Iterator[pa.Table]:
    """Yields the segments to caption, those of videos whose manifest row has no events."""
    yield from work.sql(_UNCAPTIONED, CAPTION)


def untranscribed(work: Workspace) -> Iterator[pa.Table]:
    """Yields the segments to transcribe, those of videos with sound whose manifest row has no subtitles."""
    yield from work.sql(_UNTRANSCRIBED, TRANSCRIBE)


def put_results(work: Workspace, annotators: Collection[str]) -> None:
    """Puts the tables `caption_results` and `transcribe_results`: units and count of rejected segments per video.

    Args:
        work: workspace of the build.
        annotators: which of `transcribe` and `caption` are enabled; the table of a disabled one has no rows.
    """
    for stage, query in _OF_VIDEOS.items():
        found = work.sql(query, _RESULTS) if stage in annotators else ()
        work.put(f"{stage}_results", found, _RESULTS)
