"""The input rows of each phase: queries over the tables of earlier phases in the workspace.

The most expensive inputs come first, so that at the end of a phase no single worker is still busy with a long video.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from pipeline.annotators import put_results, uncaptioned, untranscribed
from pipeline.inputs.addresses import allowed_location, map_addresses, resolve
from pipeline.phase_schemas import ANNOTATIONS, DISTILL, DUPLICATES, FILTER, INGEST, NAMED_SPLIT, PLAN, QUESTIONS, SHOTS
from pipeline.tables.candidates import PAIR, candidates
from pipeline.tables.workspace import Workspace
from schemas.config import ConfigError
from schemas.stage import Stage
from stages import audit_qa
from stages.find_duplicates import FindDuplicatesConfig
from stages.group import GroupConfig, split_of
from stages.pack import PACK_UNIT, PackConfig, plan_shards
from workers.fetch.access import Access


class AuditFailed(ConfigError):
    """The audit of all pairs failed, so no pair can be packed. The message contains its error."""


@dataclass(frozen=True)
class Context:
    """Holds what the queries depend on besides the workspace."""

    stages: Mapping[str, Stage]
    folder: str | None
    """Folder that paths of the manifest are relative to; None if nothing outside the corpus may be opened."""
    access: Access
    """What addresses of the manifest may reach."""


def ingest(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields all videos of the manifest with the locations of their files."""
    # Only these columns: sorting the annotations as well would take memory for all of them.
    query = """
        select id, uri, sha256, licence, source, split, video_id, source_stamp, id as name, uri as location
        from manifest order by video_id"""
    yield from _located_media(context, work.sql(query, INGEST))


def transcribe(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the segments to transcribe with the locations of their files."""
    yield from _located_media(context, untranscribed(work))


def caption(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the segments to caption."""
    yield from uncaptioned(work)


def shots(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the embedded videos with their units."""
    query = """
        select video_id, name, first_frame_s, first_frame_s + duration_s as end_s,
               list(embed_unit order by segment_index) as embed_units,
               list(decode_unit order by segment_index) as decode_units
        from ingest where reject is null group by all order by count(*) desc, video_id"""
    yield from work.sql(query, SHOTS)


def duplicates(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the videos that may be copies, with the videos that they may be copies of."""
    config = context.stages["find_duplicates"].config
    assert isinstance(config, FindDuplicatesConfig)
    work.put("candidates", candidates(work, config), PAIR)
    query = """
        with file as (
            select distinct video_id, s.name, sha256, find_shots_unit, embed_units
            from find_shots s join ingest i using (video_id) where s.reject is null and i.reject is null
        )
        select a.*, list({'video_id': b.video_id, 'sha256': b.sha256, 'find_shots_unit': b.find_shots_unit,
                          'embed_units': b.embed_units} order by b.video_id) as others
        from candidates c join file a using (video_id) join file b on b.video_id = c.other
        group by all order by count(*) desc, a.video_id"""
    yield from work.sql(query, DUPLICATES)


def annotations(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the ingested videos with their annotations in the manifest, the results of models, and their shots."""
    put_results(work, context.stages.keys())
    query = """
        select m.* exclude (sha256), m.id as name, v.sha256, v.duration_s,
               c.units as caption_units, coalesce(c.rejected, 0)::int as uncaptioned_segments,
               t.units as transcribe_units,
               (coalesce(c.rejected, 0) + coalesce(t.rejected, 0))::int as rejected_segments,
               s.find_shots_unit
        from manifest m join (
            select video_id, any_value(sha256) as sha256, any_value(first_frame_s + duration_s) as duration_s
            from ingest where reject is null group by video_id
        ) v using (video_id)
        left join caption_results c using (video_id) left join transcribe_results t using (video_id)
        left join (
            select video_id, any_value(find_shots_unit) as find_shots_unit
            from find_shots where reject is null group by video_id
        ) s using (video_id)
        order by v.duration_s desc, video_id"""
    folder = context.folder
    for table in work.sql(query, ANNOTATIONS):
        yield map_addresses(table, ["subtitles", "events_file"], lambda path: folder and resolve(path, folder))


def questions(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the annotated videos, each with the annotations of two others of its split.

    Those follow it in the order of the hashes of ids, so a new video changes the questions of at most two others.
    """
    config = context.stages["group"].config
    assert isinstance(config, GroupConfig)
    known = work.sql("select video_id, name, sha256, split from annotations where reject is null", NAMED_SPLIT)
    work.put("splits", (_with_split(table, config) for table in known), NAMED_SPLIT)
    query = """
        select a.* exclude (split), [
            case when lead(sha256, 1) over own is distinct from sha256 then lead(annotate_unit, 1) over own end,
            case when lead(sha256, 2) over own is distinct from sha256 then lead(annotate_unit, 2) over own end
        ] as other_annotate_units
        from annotations a join (select video_id, split from splits) s using (video_id) where reject is null
        window own as (partition by s.split order by md5(video_id), video_id)
        order by duration_s desc, video_id"""
    yield from work.sql(query, QUESTIONS)


def _with_split(videos: pa.Table, config: GroupConfig) -> pa.Table:
    rows = [{**row, "split": split_of(row, config)} for row in videos.to_pylist()]
    return pa.Table.from_pylist(rows, NAMED_SPLIT)


def audited(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields one row for all videos, or none if no video was annotated."""
    query = """
        select video_id, q.duration_s, write_qa_unit, embed_units from questions q join (
            select video_id, list(embed_unit order by segment_index) as embed_units
            from ingest where reject is null group by video_id
        ) using (video_id) where q.reject is null order by video_id"""
    if videos := [*work.rows(query)]:
        text = json.dumps(videos, sort_keys=True, separators=(",", ":"))
        yield pa.Table.from_pylist([{"videos": text}], audit_qa.READS)


def filtered(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the videos of which the audit dropped pairs, with the ids of these pairs. Raises AuditFailed."""
    for row in work.rows("select reject.detail as detail from audit_qa where reject is not null"):
        raise AuditFailed(
            f"audit_qa: {row['detail']}: nothing was packed, and the shards are those of the build before"
        )
    query = """
        select video_id, q.name, write_qa_unit, list(qa_id order by qa_id) as dropped
        from questions q join qa using (video_id) where q.reject is null and dropped is not null
        group by all order by video_id"""
    yield from work.sql(query, FILTER)


def distill(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the videos with QA pairs that no phase rejected."""
    # Without QA pairs, there is nothing to select keyframes for: the video is in the tables, but not in the shards.
    query = """
        select v.* exclude (flags), v.flags || coalesce(q.annotation_flags, []) as flags,
               coalesce(f.filter_qa_unit, q.write_qa_unit) as write_qa_unit, embed_units, decode_units
        from questions q join videos v using (video_id) left join filter_qa f using (video_id) join (
            select video_id, list(embed_unit order by segment_index) as embed_units,
                   list(decode_unit order by segment_index) as decode_units
            from ingest where reject is null group by video_id
        ) using (video_id)
        where q.reject is null and f.reject is null and video_id in (select video_id from qa where dropped is null)
              and video_id not in (select video_id from find_shots where reject is not null)
              and video_id not in (select video_id from find_duplicates where reject is not null)
        order by len(decode_units) desc, video_id"""
    yield from work.sql(query, DISTILL)


_PACKED = f"select {', '.join(PLAN.names)} from distill where reject is null order by video_id"


def shards(context: Context, work: Workspace) -> Iterator[pa.Table]:
    """Yields the shards planned by `plan_shards`."""
    config = context.stages["pack"].config
    assert isinstance(config, PackConfig)
    for unit in plan_shards((row for table in work.sql(_PACKED, PLAN) for row in table.to_pylist()), config):
        yield pa.Table.from_pylist([unit], PACK_UNIT)


def _located_media(context: Context, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Resolves the column `location` relative to the manifest's folder; without a folder, it becomes null."""
    folder, access = context.folder, context.access
    for table in tables:
        yield map_addresses(table, ["location"], lambda path: folder and allowed_location(path, folder, access))
