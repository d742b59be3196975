"""The schemas of the input rows of each phase."""

import pyarrow as pa

from pipeline.annotators import QUESTION_COLUMNS
from schemas.tables.media import MANIFEST, VIDEO
from stages import filter_qa, find_duplicates, write_qa
from stages.group import FACTS, NAMED
from stages.pack import PLANNED

TEXT, TEXTS, NUMBER = pa.string(), pa.list_(pa.string()), pa.float64()

INGEST = pa.schema(
    [*(MANIFEST.field(n) for n in ("id", "uri", "sha256", "licence", "source", "split"))]
    + [("video_id", TEXT), ("name", TEXT), ("source_stamp", TEXT), ("location", TEXT)]
)
ANNOTATIONS = pa.schema(
    [*(MANIFEST.field(n) for n in ("subtitles", "events_file", "events", "conversations", "conversation_origins"))]
    + [MANIFEST.field("annotation_licence"), MANIFEST.field("split")]
    + [("video_id", TEXT), ("name", TEXT), ("sha256", TEXT), ("duration_s", NUMBER), ("annotation_stamp", TEXT)]
    + [*QUESTION_COLUMNS, *write_qa.CUT_READS]
)
QUESTIONS = pa.schema(
    [("video_id", TEXT), ("name", TEXT), ("sha256", TEXT), ("duration_s", NUMBER), ("annotate_unit", TEXT)]
    + [("annotation_flags", TEXTS), ("events_outside_video", pa.int32()), *write_qa.CUT_READS, *write_qa.OTHER_READS]
)
NAMED_SPLIT = pa.schema([(name, TEXT) for name in ("video_id", "name", "sha256", "split")])
SHOTS = pa.schema(
    [("video_id", TEXT), ("name", TEXT), ("embed_units", TEXTS), ("decode_units", TEXTS)]
    + [("first_frame_s", NUMBER), ("end_s", NUMBER)]
)
DUPLICATES = pa.schema([("video_id", TEXT), ("name", TEXT), *find_duplicates.READS.remove(0)])
FILTER = pa.schema([("video_id", TEXT), ("name", TEXT), *filter_qa.READS.remove(0)])
DISTILL = pa.schema(
    [("embed_units", TEXTS), ("decode_units", TEXTS), ("write_qa_unit", TEXT)]
    + [VIDEO.field(name) for name in (*NAMED, "split", *FACTS)]
)
PLAN = pa.schema([*((name, TEXT) for name in (*PLANNED, "split")), ("packed_bytes", pa.int64())])
