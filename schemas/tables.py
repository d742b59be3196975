"""Arrow schemas of the units and tables. A column's unit is in its name (`_s` seconds, `_bytes`).

Times are seconds on the video's presentation timeline, the one a player shows; intervals are half-open [start, end).
"""

import pyarrow as pa

# The tables for users, in `tables/<name>.parquet` of a corpus, in the order of a build.
TABLES = (
    "videos", "segments", "shots", "duplicates", "events", "qa", "dropped", "selections", "samples",
    "shards", "rejects",
)  # fmt: skip

# Of shards, tables and corpus.json. 1: before versions were written; 2: a member for each kind of tokens.
FORMAT_VERSION = 2

SPAN = pa.struct([("start_s", pa.float64()), ("end_s", pa.float64())])
TIMED_TEXT = pa.struct([*SPAN, ("kind", pa.string()), ("text", pa.string())])
TIMED_TEXT_NAMES = [field.name for field in TIMED_TEXT]

# Where an annotation comes from: a text of a file, or of a model.
ORIGIN = pa.struct(
    [
        ("file", pa.string()),  # its name, or its path below the folder that was given; null: the manifest, or a model
        ("row", pa.int64()),  # its record there (line, item, member), from 1; null: a subtitle file, or a model
        ("format", pa.string()),  # a module of stages/annotations/formats, or events | subtitles | the stage that asked
        ("licence", pa.string()),  # of the annotation, as the user gave it; null: not stated
        ("prompt", pa.string()),  # "<name>:<hash>" of the prompts that a model was given, by "+"; null: no model
    ]
)
# The same for a QA pair: the rows of one file that it is made of.
PAIR_ORIGIN = pa.struct(
    [("source", pa.string()), *(f for f in ORIGIN if f.name != "row"), ("rows", pa.list_(pa.int64()))]
)

# What the user knows of a video; all but `uri` may be null. `conversations`: JSON, a list of LLaVA-form ones.
MANIFEST = pa.schema(
    [
        ("id", pa.string()),
        ("uri", pa.string()),
        ("sha256", pa.string()),
        ("licence", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("subtitles", pa.list_(pa.string())),
        ("events_file", pa.string()),
        ("events", pa.string()),  # JSON, a list: parsed by annotate
        ("conversations", pa.string()),
        ("conversation_origins", pa.string()),  # JSON, a list of ORIGIN, one per conversation
        ("annotation_licence", pa.string()),  # of all of the row's annotations that do not have one of their own
    ]
)

# download: the file in the media store and what a demuxing pass found, whatever the header claims.
VIDEO = pa.schema(
    [
        ("video_id", pa.string()),  # 16 hex digits, from the manifest's id (or uri where it has none)
        ("name", pa.string()),  # the manifest's id, as the user wrote it
        ("uri", pa.string()),  # as the manifest has it, without credentials and query; of an absolute path the name
        ("media", pa.string()),  # path in the corpus ("media/..."); null: referenced in place, at the manifest's uri
        ("sha256", pa.string()),
        ("size_bytes", pa.int64()),
        ("licence", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("container", pa.string()),
        ("codec", pa.string()),
        ("pixel_format", pa.string()),
        ("width", pa.int32()),  # as shown: cropped, with square pixels, after rotation
        ("height", pa.int32()),
        ("rotation", pa.int32()),  # degrees clockwise to apply for display: 0, 90, 180, 270; first what is "mirrored"
        ("frame_count", pa.int64()),  # frames found by demuxing that are shown
        ("first_frame_s", pa.float64()),  # presentation time of the first frame
        ("duration_s", pa.float64()),  # end of the last frame less start of the first, by demuxing
        ("header_duration_s", pa.float64()),  # what the header claims; null where it claims nothing
        ("average_fps", pa.float64()),
        ("audio_codec", pa.string()),  # null: no audio
        ("flags", pa.list_(pa.string())),  # codes of schemas.flags
    ]
)

# shard: work units of a few minutes that start on a key frame of the stream.
SEGMENT = pa.schema(
    [
        ("video_id", pa.string()),
        ("segment_id", pa.string()),  # video_id + "-" + five digits
        ("segment_index", pa.int32()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("seek_pts", pa.int64()),  # of the key frame that decoding starts on, in the stream's time base
        ("first_sample", pa.int64()),  # sample i of the video is wanted at sample_origin_s + i * sample_period_s
        ("num_samples", pa.int64()),
        ("sample_origin_s", pa.float64()),
        ("sample_period_s", pa.float64()),
        ("sample_tolerance_s", pa.float64()),  # a frame that starts so much earlier or later will do as well
        ("sample_phase", pa.float64()),  # of the video: sample 0 is so many periods after the first frame, 0 to 1
        ("frames_to_decode", pa.int32()),  # as the shard stage counts them, from the packets
    ]
)

# decode: a row per kept frame. A source frame that two sample times fall on is kept once. `wanted`, `decoder_errors`
# and `frames_decoded` are counted up to the row: the last row of a segment has the segment's.
FRAME = pa.schema(
    [
        ("video_id", pa.string()),
        ("segment_id", pa.string()),
        ("sample_index", pa.int64()),
        ("time_s", pa.float64()),  # true presentation time of the frame that was kept
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("wanted", pa.int32()),  # frames wanted of the segment: more than there are rows where some don't decode
        ("decoder_errors", pa.int32()),  # frames of the segment on which the decoder reported errors, kept or not
        ("frames_decoded", pa.int32()),  # frames that the decoder was given; null: a library that does not tell
        ("source_width", pa.int32()),  # of the frame as it was decoded, before its pixels' shape and rotation
        ("source_height", pa.int32()),
        ("jpeg", pa.binary()),
    ]
)

# embed: a row a frame, in the order of the frames.
EMBEDDING = pa.schema(
    [
        ("video_id", pa.string()),
        ("segment_id", pa.string()),
        ("sample_index", pa.int64()),
        ("time_s", pa.float64()),
        ("embedding", pa.list_(pa.float16())),  # L2-normalised, joint space of embed.tower
    ]
)

# find_shots: a row a shot. Shots tile the video from its first frame to its end.
SHOT = pa.schema(
    [
        ("video_id", pa.string()),
        ("shot_index", pa.int32()),
        ("start_s", pa.float64()),  # half way between the frames that the cut lies between
        ("end_s", pa.float64()),
        ("first_frame", pa.int64()),  # position in the video's kept frames
        ("num_frames", pa.int32()),
        ("cut_by", pa.list_(pa.string())),  # what shows the cut: "pixels", "embedding"; none: black starts or ends
        ("pixel_change", pa.float32()),  # at that cut; null: the video's first shot
        ("embedding_change", pa.float32()),  # 1 - cosine
        ("luma", pa.float32()),  # mean, of 255
        ("black_share", pa.float32()),  # of its frames
        ("still_share", pa.float32()),  # of its steps from frame to frame
        ("flags", pa.list_(pa.string())),  # "black" | "slides" | "frozen"
        ("embedding", pa.list_(pa.float16())),  # mean over its frames, L2-normalised
        ("keys", pa.list_(pa.int64())),  # videos that have some in common may be copies
        ("layouts", pa.binary()),  # of its frames: GRID x GRID bytes each, see workers/shots/thumbnails.py
    ]
)

# find_duplicates: a row a pair, of which the video with the lower id counts as the original.
DUPLICATE = pa.schema(
    [
        ("video_id", pa.string()),
        ("duplicate_of", pa.string()),
        ("exact", pa.bool_()),  # the same file
        ("similarity", pa.float32()),  # correlation of what changes in the two, where they overlap; 1: exact
        ("covered", pa.float32()),  # share of the video that is found in the other
        ("covered_of_other", pa.float32()),
        ("offset_s", pa.float64()),  # what is shown at t is shown at t + offset_s in the other; to about a second
    ]
)

# caption, transcribe: a row an event of a segment.
SEGMENT_TEXT = pa.schema([("video_id", pa.string()), ("segment_id", pa.string()), *TIMED_TEXT])

# merge_captions: a row an event of the video.
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
        ("is_point", pa.bool_()),  # the annotation gives one time, and end_s is made up; null: conversations
        ("origin", ORIGIN),
    ]
)

# annotate: one row. Flags: codes of schemas.flags.ANNOTATION_FLAGS.
ANNOTATION = pa.schema(
    [
        ("video_id", pa.string()),
        ("events", pa.list_(pa.struct(list(EVENT)))),
        ("clips", pa.list_(SPAN)),  # windows of the rows of a clip list, those without a text too
        ("annotation_flags", pa.list_(pa.string())),
        ("events_outside_video", pa.int32()),  # left out: they lie wholly before or after the video
    ]
)

# write_qa: a row a QA pair.
QA = pa.schema(
    [
        ("video_id", pa.string()),
        ("qa_id", pa.string()),
        ("task", pa.string()),  # one of schemas.tables.TASKS, or "conversation" where passed through
        ("question", pa.string()),  # bare: without options
        ("answer", pa.string()),
        ("options", pa.list_(pa.string())),  # empty: open-ended
        ("answer_index", pa.int32()),  # into options; null: open-ended
        ("evidence", pa.list_(SPAN)),  # where in the video the answer can be seen
        ("event_ids", pa.list_(pa.string())),
        ("form", pa.string()),  # which kind of question of the task: stages.qa.plan
        ("hops", pa.int32()),  # events that have to be found one after the other; null: passed through
        ("solver_agrees", pa.bool_()),  # stages.qa.solver gives the answer, and rejects the other options
        ("evidence_necessary", pa.bool_()),  # without any one event of the evidence it does not
        ("evidence_sufficient", pa.bool_()),  # from the evidence alone it does
        ("language", pa.string()),  # ISO 639-1, of the annotation; empty where there is too little to tell
        ("provenance", pa.string()),  # "template:<name>" | "conversation" | "model:<name>"
        ("annotations", pa.list_(PAIR_ORIGIN)),  # what it is made of, wrong options and transcript included; by file
        ("realizer", pa.string()),  # "templates" | "llm": who worded the question; null: passed through
        ("realizer_version", pa.int32()),  # version of the stage write_qa: other words have another one
        ("models", pa.list_(pa.string())),  # whose words are in it: of captions, transcripts, the rewording
        ("prompts", pa.list_(pa.string())),  # "<name>:<hash>" of the prompts that those were given
        ("seed", pa.int64()),  # write_qa.seed; null: passed through
        ("conversations", pa.string()),  # JSON, LLaVA form: [{"from": "human", "value": "<image>\n..."}, ...]
        ("flags", pa.list_(pa.string())),
        # Middle, in seconds, of the events of the options and of those that the question names; null: they are none.
        ("option_times", pa.list_(pa.float64())),
        ("asked_times", pa.list_(pa.float64())),
        ("window", SPAN),  # seconds that the question is about: keyframes lie in it; null: the whole sample's
        # Where the answer lies, as the question tells: "soon_after" or "soon_before" the named event, "after" or
        # "before" it, "between" the two named ones; null: it does not tell.
        ("relation", pa.string()),
        # The part of the video that is the pair's sample: with `write_qa.clips: windows` a row of a clip list, from
        # whose start the times in the texts count; null: all of it.
        ("sample_window", SPAN),
        # Text embeddings by embed.tower of what the question names (its events, else itself), L2-normalised, [S, D]:
        # they share the question's K keyframes.
        ("select_queries", pa.list_(pa.list_(pa.float16()))),
        ("merge_query", pa.list_(pa.float16())),  # of all of it at once, by distill.tower
    ]
)

# Licences of the video and of the annotations that ask for the same licence of what is made of them, the pair and its
# tokens included; empty: none does. In the tables `qa` and `samples`, and in `.qa.json`.
SHARE_ALIKE = pa.field("share_alike", pa.list_(pa.string()))

# audit_qa: a row per QA pair, videos in the order of their ids, pairs in that of their unit.
AUDIT = pa.schema(
    [
        ("video_id", pa.string()),
        ("qa_id", pa.string()),
        ("problems", pa.list_(pa.string())),  # codes of stages.qa.audit.checks.PROBLEMS
        ("dropped", pa.string()),  # the problem, the rule or "guessable", for which it is in no shard; null: it is kept
        ("blind_score", pa.float32()),  # probability of the right option without the video; null: not judged
        ("blind_guess", pa.bool_()),  # whether the right option is the most probable one without the video
    ]
)

# `longvid decontaminate`: a row per video or pair that is in a benchmark, and file in which it was found.
CONTAMINATION = pa.schema(
    [
        ("video_id", pa.string()),
        ("name", pa.string()),
        ("qa_id", pa.string()),  # null: the whole video
        ("found_by", pa.string()),  # id | file | sequence | question | paraphrase: a question in other words
        ("against", pa.string()),  # name of the file, folder or corpus that was given
        ("found", pa.string()),  # the id there, or the question
        ("score", pa.float32()),  # 1, the similarity of sequences or questions, or the share of n-grams in common
        ("offset_s", pa.float64()),  # of sequences: what the benchmark shows at t is shown here at t + offset_s
        ("drop", pa.bool_()),  # the next build leaves it out of the shards
    ]
)

# What write_qa left out of a video: a row per reason. In its units, JSON under the metadata key DROPPED_KEY.
DROPPED = pa.schema(
    [
        ("video_id", pa.string()),
        ("what", pa.string()),  # event: a row of `events` that nothing was asked of, or pair: a question
        ("reason", pa.string()),  # a code: see stages.qa.dropped.REASONS
        ("count", pa.int64()),
    ]
)
DROPPED_KEY = "longvid.dropped"

TASKS = ("captioning", "temporal_grounding", "event_relationship", "scene_relationship", "event_counting")

# select: a row a QA pair, in the order of the QA unit.
SELECTION = pa.schema(
    [
        ("video_id", pa.string()),
        ("qa_id", pa.string()),
        ("keyframes", pa.list_(pa.int64())),  # positions in the video's kept frames (0 .. N-1), ascending
        ("time_s", pa.list_(pa.float64())),
        ("relevance", pa.list_(pa.float32())),
    ]
)

# group: a row a video; what pack will write of it, and how large that is.
GROUPING = pa.schema(
    [
        ("video_id", pa.string()),
        ("split", pa.string()),  # the manifest's, else drawn by the content
        ("packed_bytes", pa.int64()),  # in a tar, with headers and padding
        (
            "groups",
            pa.list_(
                pa.struct(
                    [
                        ("sample_key", pa.string()),
                        ("first_row", pa.int32()),  # of the QA pairs
                        ("num_rows", pa.int32()),
                        ("first_frame", pa.int64()),  # of the video's frames, those that the sample has
                        ("num_frames", pa.int64()),
                        ("origin_s", pa.float64()),  # from which its times count
                        ("facts", pa.string()),  # JSON: the `.json` member
                    ]
                )
            ),
        ),
    ]
)

# pack: a row a QA pair; what a trainer balances and a user filters by, without opening a tar.
SAMPLE = pa.schema(
    [
        ("qa_id", pa.string()),
        ("video_id", pa.string()),
        ("name", pa.string()),
        ("split", pa.string()),
        ("task", pa.string()),
        ("question", pa.string()),
        ("answer", pa.string()),
        ("provenance", pa.string()),
        ("flags", pa.list_(pa.string())),
        ("licence", pa.string()),
        ("share_alike", pa.list_(pa.string())),  # see SHARE_ALIKE
        ("source", pa.string()),
        ("shard", pa.string()),  # path in the corpus: shards/<split>/000000.tar
        ("shard_sha256", pa.string()),
        ("shard_bytes", pa.int64()),
        ("sample_key", pa.string()),  # of the WebDataset sample: video_id, or video_id + "-" + part where it was split
        ("row", pa.int32()),  # of the QA pair in its sample: index into .qa.json and the Q axis of the tokens
        ("qa_offset", pa.int64()),  # of the member's data in the tar
        ("qa_bytes", pa.int64()),
        ("tokens_offset", pa.int64()),
        ("tokens_bytes", pa.int64()),
        ("clips_offset", pa.int64()),  # of the video's clip tokens, in its first sample; null: there are none
        ("clips_bytes", pa.int64()),
        ("duration_s", pa.float64()),  # of the sample
        ("sample_window", SPAN),  # see QA
        ("num_frames", pa.int32()),
        ("num_keyframes", pa.int32()),
        ("num_visual_tokens", pa.int32()),  # keyframe tokens and merged tokens of this QA pair
    ]
)

# A row a shard: what the corpus has written, and so may delete.
SHARD = pa.schema(
    [
        ("shard", pa.string()),
        ("split", pa.string()),
        ("sample_keys", pa.list_(pa.string())),  # its WebDataset samples
        ("num_samples", pa.int64()),  # QA pairs: rows of `samples`
        ("shard_bytes", pa.int64()),
        ("shard_sha256", pa.string()),  # null, as all but `shard`: a build was about to write it
    ]
)

REJECT = pa.schema(
    [
        ("unit", pa.string()),  # what was rejected: a video's name, a segment_id, ...
        ("kind", pa.string()),  # video | segment | shard | corpus
        ("stage", pa.string()),
        ("video_id", pa.string()),
        ("name", pa.string()),
        ("reason", pa.string()),  # a code: see schemas.rejects.REASONS
        ("detail", pa.string()),
        ("attempts", pa.int32()),
        ("path", pa.string()),  # of the reject's own file in the corpus; `longvid retry` clears it
    ]
)
