"""The list of stages: what each reads and writes, its fan-out, what it runs on and why.

A phase is a chain of stages that Ray Data runs concurrently, row by row. Between phases there is a join that gathers
the rows of a fan-out: the results of a phase are a table of its name in the workspace, which the queries of later
phases read. `docs/adding-a-stage.md` explains how to add a stage.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from pipeline import phase_inputs
from pipeline.annotators import CAPTION, TRANSCRIBE
from pipeline.listed import Listed, ListedPhase
from pipeline.phase_inputs import Context
from pipeline.phase_schemas import ANNOTATIONS, DISTILL, DUPLICATES, FILTER, INGEST, QUESTIONS, SHOTS
from pipeline.tables.workspace import Workspace
from schemas.config import StageConfig
from schemas.stage import Stage
from schemas.tables.media import SEGMENT, VIDEO
from stages import (
    annotate,
    audit_qa,
    caption,
    decode,
    distill,
    download,
    embed,
    filter_qa,
    find_duplicates,
    find_shots,
    group,
    merge_captions,
    pack,
    select,
    shard,
    transcribe,
    write_qa,
)
from workers.fetch.access import Access

PHASES = [
    ListedPhase(
        "ingest", "", INGEST, phase_inputs.ingest, [*dict.fromkeys(VIDEO.names + SEGMENT.names)],
        [
            Listed("download", download.DownloadConfig, "a row of the manifest", "VIDEO, and the media file", "1:1",
                   "tasks", "it waits for servers: many at once, each a fraction of a core",
                   download.stage, opens_addresses=True),
            Listed("shard", shard.ShardConfig, "VIDEO", "SEGMENT", "1:N",
                   "tasks", "it reads packets and decodes nothing: the disk is the limit", shard.stage),
            Listed("decode", decode.DecodeConfig, "SEGMENT", "FRAME", "1:1",
                   "actors", "each keeps its sandbox process; one core each, or a share of a GPU", decode.stage),
            Listed("embed", embed.EmbedConfig, "FRAME", "EMBEDDING", "1:1",
                   "actors", "each loads the weights once; a GPU each where there is one", embed.stage),
        ],
    ),
    ListedPhase(
        "find_shots", "ingest", SHOTS, phase_inputs.shots, ["embed_units"],
        [
            Listed("find_shots", find_shots.FindShotsConfig, "FRAME and EMBEDDING of a video", "SHOT", "N:1",
                   "tasks", "numpy on small images: a core each", find_shots.stage),
        ],
    ),
    ListedPhase(
        "find_duplicates", "find_shots", DUPLICATES, phase_inputs.duplicates, [],
        [
            Listed("find_duplicates", find_duplicates.FindDuplicatesConfig, "SHOT of a video and its candidates",
                   "DUPLICATE", "N:1", "tasks", "numpy on small images: a core each", find_duplicates.stage),
        ],
    ),
    ListedPhase(
        "transcribe", "ingest", TRANSCRIBE, phase_inputs.transcribe, ["segment_id"],
        [
            Listed("transcribe", transcribe.TranscribeConfig, "SEGMENT, and its sound", "SEGMENT_TEXT", "1:1",
                   "tasks", "it waits for a model: many at once, each a fraction of a core",
                   transcribe.stage, annotators=("transcribe",)),
        ],
    ),
    ListedPhase(
        "caption", "ingest", CAPTION, phase_inputs.caption, ["segment_id"],
        [
            Listed("caption", caption.CaptionConfig, "FRAME of a segment, and its cuts", "SEGMENT_TEXT", "1:1",
                   "tasks", "it waits for a model: many at once, each a fraction of a core",
                   caption.stage, annotators=("caption",)),
        ],
    ),
    ListedPhase(
        "annotations", "ingest", ANNOTATIONS, phase_inputs.annotations,
        ["sha256", "duration_s", "split", "find_shots_unit", "annotation_flags", "events_outside_video"],
        [
            Listed("merge_captions", merge_captions.MergeCaptionsConfig, "SEGMENT_TEXT of a video", "VIDEO_TEXT", "1:1",
                   "tasks", "it waits for a model: many at once, each a fraction of a core",
                   merge_captions.stage, annotators=("transcribe", "caption")),
            Listed("annotate", annotate.AnnotateConfig, "a row of the manifest", "ANNOTATION", "1:1",
                   "tasks", "it waits for servers and reads small texts", annotate.stage, opens_addresses=True),
        ],
    ),
    ListedPhase(
        "questions", "annotations", QUESTIONS, phase_inputs.questions,
        ["sha256", "duration_s", "annotation_flags", "events_outside_video", "annotate_unit"],
        [
            Listed("write_qa", write_qa.WriteQaConfig, "ANNOTATION, that of two other videos, and SHOT if asked for",
                   "QA", "1:1", "actors", "each loads the text towers once", write_qa.stage),
        ],
    ),
    ListedPhase(
        "audit_qa", "questions", audit_qa.READS, phase_inputs.audited, [],
        [
            Listed("audit_qa", audit_qa.AuditQaConfig, "QA and EMBEDDING of all videos", "AUDIT", "N:1",
                   "tasks", "one process: what can be guessed shows in all pairs together", audit_qa.stage),
        ],
    ),
    ListedPhase(
        "filter_qa", "audit_qa", FILTER, phase_inputs.filtered, ["write_qa_unit"],
        [
            Listed("filter_qa", StageConfig, "QA of a video, and which pairs to leave out", "QA", "1:1",
                   "tasks", "it copies a small table", filter_qa.stage, section="audit_qa"),
        ],
    ),
    ListedPhase(
        "distill", "questions", DISTILL, phase_inputs.distill, ["write_qa_unit", "split", "packed_bytes"],
        [
            Listed("select", select.SelectConfig, "EMBEDDING and QA of a video", "SELECTION", "N:1",
                   "tasks", "matrix products over embeddings that lie in memory: milliseconds per question",
                   select.stage),
            Listed("distill", distill.DistillConfig, "FRAME and SELECTION of a video", "tensors", "N:1",
                   "actors", "each loads the patch tower once; the costliest stage, on a GPU where there is one",
                   distill.stage),
            Listed("group", group.GroupConfig, "QA and tensors of a video", "GROUPING", "1:1",
                   "tasks", "it reads small tensors only", group.stage, section="pack"),
        ],
    ),
    ListedPhase(
        "pack", "distill", pack.PACK_UNIT, phase_inputs.shards, ["shard"],
        [
            Listed("pack", pack.PackConfig, "QA and tensors of many videos", "SAMPLE, and a tar", "N:1",
                   "tasks", "it copies and hashes: a core keeps a disk busy", pack.stage),
        ],
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Phase:
    """Holds a chain of stages with its input rows, ready to run."""

    name: str
    stages: list[Stage]
    schema: pa.Schema
    inputs: Callable[[Workspace], Iterator[pa.Table]]
    after: str = ""
    passthrough: list[str] = field(default_factory=list)


def declare_stages(configs: Mapping[str, Any], access: Access | None = None) -> dict[str, Stage]:
    """Declares all stages of a recipe; returns them by name, in order.

    Args:
        configs: configs by section of the recipe.
        access: what addresses of a manifest may reach. None: the stages open no addresses.
    """
    asked = set(configs["annotate"].annotators)
    listed = [s for phase in PHASES for s in phase.stages if not s.annotators or asked & {*s.annotators}]
    return {stage.name: stage.stage(configs[stage.section or stage.name], access) for stage in listed}


def phases(stages: Mapping[str, Stage], folder: str | None = None, access: Access | None = None) -> list[Phase]:
    """Returns all phases of a build, in order.

    Args:
        stages: stages by name.
        folder: folder that the paths of the manifest are relative to. None if nothing outside the corpus may be
            opened: the phases can then be scanned, but not run.
        access: what addresses of the manifest may reach.
    """
    context = Context(stages, folder, access or Access(local_files=False))
    return [
        Phase(
            listed.name,
            [stages[stage.name] for stage in listed.stages if stage.name in stages],
            listed.schema,
            partial(listed.inputs, context),
            listed.after,
            listed.passthrough,
        )
        for listed in PHASES
        if any(stage.name in stages for stage in listed.stages)
    ]
