"""Schemas of QA pairs and of what is found about them."""

import pyarrow as pa

from schemas.tables.text import PAIR_ORIGIN, SPAN

# write_qa: one row per QA pair.
QA = pa.schema(
    [
        ("video_id", pa.string()),
        ("qa_id", pa.string()),
        ("task", pa.string()),  # one of TASKS, or "conversation" for a pair of the manifest
        ("question", pa.string()),  # without the options
        ("answer", pa.string()),
        ("options", pa.list_(pa.string())),  # empty: open-ended
        ("answer_index", pa.int32()),  # index into options; null: open-ended
        ("evidence", pa.list_(SPAN)),  # spans of the video in which the answer can be seen
        ("event_ids", pa.list_(pa.string())),
        # Flag other_video: whose event is asked for, and `event_ids` are of; else null.
        ("other_video_id", pa.string()),
        ("form", pa.string()),  # kind of question within the task: stages.qa.plan
        ("hops", pa.int32()),  # events that must be found one after the other; null: a pair of the manifest
        ("solver_agrees", pa.bool_()),  # whether stages.qa.solver finds the answer and rejects the other options
        ("evidence_necessary", pa.bool_()),  # whether it fails without any single event of the evidence
        ("evidence_sufficient", pa.bool_()),  # whether it succeeds with the evidence alone
        ("language", pa.string()),  # ISO 639-1, of the annotation; empty if there is too little text to detect it
        ("provenance", pa.string()),  # "template:<name>" | "conversation" | "model:<name>"
        # Those that it uses, also in wrong options and transcript; one per file.
        ("annotations", pa.list_(PAIR_ORIGIN)),
        ("realizer", pa.string()),  # "templates" | "llm": wrote the question; null: a pair of the manifest
        ("realizer_version", pa.int32()),  # version of the stage write_qa; changes with the wording
        ("models", pa.list_(pa.string())),  # models that wrote parts of its text: captions, transcripts, rewording
        ("prompts", pa.list_(pa.string())),  # "<name>:<hash>" of the prompts of these models
        ("seed", pa.int64()),  # write_qa.seed; null: a pair of the manifest
        ("conversations", pa.string()),  # JSON, LLaVA form: [{"from": "human", "value": "<image>\n..."}, ...]
        ("flags", pa.list_(pa.string())),
        # Middle, in seconds, of the events of the options and of the named events of the question; null: no events.
        ("option_times", pa.list_(pa.float64())),
        ("asked_times", pa.list_(pa.float64())),
        ("window", SPAN),  # interval that the question is about; keyframes are selected in it; null: the whole sample
        # Position of the answer according to the question: "soon_after", "soon_before", "after" or "before" the named
        # event, "between" the two named events; null: not stated.
        ("relation", pa.string()),
        # Part of the video that is the pair's sample; null: the whole video. With `write_qa.clips: windows`, it is a
        # row of a clip list, and times in the texts count from its start.
        ("sample_window", SPAN),
        # Text embeddings by embed.tower of the named events, or else of the question, L2-normalised, [S, D]: they share
        # the question's K keyframes.
        ("select_queries", pa.list_(pa.list_(pa.float16()))),
        ("merge_query", pa.list_(pa.float16())),  # embedding of the whole question, by distill.tower
    ]
)

# Share-alike licences of the video and the annotations, which then also apply to the pair and its tokens; empty: there
# are none. In the tables `qa` and `samples`, and in `.qa.json`.
SHARE_ALIKE = pa.field("share_alike", pa.list_(pa.string()))

# audit_qa: one row per QA pair, ordered by video id, then as in the unit of the video.
AUDIT = pa.schema(
    [
        ("video_id", pa.string()),
        ("qa_id", pa.string()),
        ("problems", pa.list_(pa.string())),  # codes of stages.qa.audit.checks.PROBLEMS
        ("dropped", pa.string()),  # why it is in no shard: a problem, a rule or "guessable"; null: it is kept
        ("blind_score", pa.float32()),  # probability that a text-only model gives the right option; null: not judged
        ("blind_guess", pa.bool_()),  # whether that model gives the right option the highest probability
    ]
)

# `longvid decontaminate`: one row per video or pair and per benchmark that contains it.
CONTAMINATION = pa.schema(
    [
        ("video_id", pa.string()),
        ("name", pa.string()),
        ("qa_id", pa.string()),  # null: the whole video
        ("found_by", pa.string()),  # id | file | sequence | question | paraphrase: a question in other words
        ("against", pa.string()),  # name of the given file, folder or corpus
        ("found", pa.string()),  # the id in the benchmark, or the question
        ("score", pa.float32()),  # 1, the similarity of sequences or questions, or the share of n-grams in common
        ("offset_s", pa.float64()),  # for sequences: second t of the benchmark's video matches second t + offset_s here
        ("drop", pa.bool_()),  # whether the next build leaves it out of the shards
    ]
)

# `longvid review`: one row per pair that a person judged.
REVIEW = pa.schema(
    [
        ("video_id", pa.string()),
        ("qa_id", pa.string()),
        ("task", pa.string()),
        ("verdict", pa.string()),  # ok | minor: right, with a blemish | fault | source: its annotation is wrong
        # Rows of annotations that are wrong; pairs made of these are left out. An empty file: the manifest.
        ("wrong_rows", pa.list_(pa.struct([("video_id", pa.string()), ("file", pa.string()), ("row", pa.int64())]))),
        ("remark", pa.string()),
    ]
)

# What annotate and write_qa left out: one row per video and reason. In units of write_qa, JSON under the metadata key
# DROPPED_KEY.
DROPPED = pa.schema(
    [
        ("video_id", pa.string()),
        # row: a row of a clip list or a cue of subtitles that cannot be read; event: a row of `events` without a
        # question; pair: a dropped question
        ("what", pa.string()),
        ("reason", pa.string()),  # a code: see stages.qa.dropped.REASONS
        ("count", pa.int64()),
        ("example", pa.string()),  # of rows: what is wrong with the first one, and where
    ]
)
DROPPED_KEY = "longvid.dropped"

TASKS = ("captioning", "temporal_grounding", "event_relationship", "scene_relationship", "event_counting")
