"""Schemas of timed texts of videos, from annotations and from models, and of their origins."""

import pyarrow as pa

SPAN = pa.struct([("start_s", pa.float64()), ("end_s", pa.float64())])
TIMED_TEXT = pa.struct([*SPAN, ("kind", pa.string()), ("text", pa.string())])
TIMED_TEXT_NAMES = [field.name for field in TIMED_TEXT]

# The origin of an annotation: a record of a file, or the answer of a model.
ORIGIN = pa.struct(
    [
        ("file", pa.string()),  # its name, or its path below the given folder; null: the manifest, or a model
        ("row", pa.int64()),  # number of the record (line, item, member), from 1; null: a subtitle file, or a model
        ("format", pa.string()),  # a module of stages/annotations/formats, or events | subtitles | a stage
        ("licence", pa.string()),  # of the annotation, as stated by the user; null: not stated
        ("prompt", pa.string()),  # "<name>:<hash>" of the prompts of the model, joined by "+"; null: no model
    ]
)
# The same for a QA pair: the records of one file that the pair uses.
PAIR_ORIGIN = pa.struct(
    [("source", pa.string()), *(f for f in ORIGIN if f.name != "row"), ("rows", pa.list_(pa.int64()))]
)

# caption, transcribe: one row per event of a segment.
SEGMENT_TEXT = pa.schema([("video_id", pa.string()), ("segment_id", pa.string()), *TIMED_TEXT])

# merge_captions: one row per event of the video.
VIDEO_TEXT = pa.schema([("video_id", pa.string()), *TIMED_TEXT])

# Timed text of a video. kind: event | scene | chapter | speech | caption | clip (a row of a clip list) | conversation
# (text is then JSON, no times).
EVENT = pa.schema(
    [
        ("video_id", pa.string()),
        ("event_id", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("kind", pa.string()),
        ("text", pa.string()),
        ("source", pa.string()),  # manifest | events_file | subtitles | conversations | model name
        ("is_point", pa.bool_()),  # the annotation has one time only, and end_s was added; null: conversations
        ("origin", ORIGIN),
    ]
)

# Rows of a clip list and cues of subtitles; the reason is a code of stages.annotations.left_out.
LEFT_OUT = pa.struct([("reason", pa.string()), ("count", pa.int64()), ("example", pa.string())])

# annotate: one row per video.
ANNOTATION = pa.schema(
    [
        ("video_id", pa.string()),
        ("events", pa.list_(pa.struct(list(EVENT)))),
        ("clips", pa.list_(SPAN)),  # windows of the rows of a clip list, also of those without a text
        ("annotation_flags", pa.list_(pa.string())),  # codes of schemas.flags.ANNOTATION_FLAGS
        ("events_outside_video", pa.int32()),  # dropped, since they lie entirely before or after the video
        ("rows_left_out", pa.list_(LEFT_OUT)),
    ]
)
