"""Schemas of keyframes, groups, samples and shards."""

import pyarrow as pa

from schemas.tables.text import SPAN

# select: one row per QA pair, in the order of the QA unit.
SELECTION = pa.schema(
    [
        ("video_id", pa.string()),
        ("qa_id", pa.string()),
        ("keyframes", pa.list_(pa.int64())),  # positions in the video's kept frames (0 .. N-1), ascending
        ("time_s", pa.list_(pa.float64())),
        ("relevance", pa.list_(pa.float32())),
    ]
)

GROUP = pa.struct(
    [
        ("sample_key", pa.string()),
        ("first_row", pa.int32()),  # of the QA pairs
        ("num_rows", pa.int32()),
        ("first_frame", pa.int64()),  # first frame of the video that belongs to the sample
        ("num_frames", pa.int64()),
        ("origin_s", pa.float64()),  # time in the video that is 0 in the sample
        ("facts", pa.string()),  # JSON: the `.json` member
    ]
)

# group: one row per video, with the groups that pack will write and their size.
GROUPING = pa.schema(
    [
        ("video_id", pa.string()),
        ("split", pa.string()),  # that of the manifest, else drawn by a hash of the content
        ("packed_bytes", pa.int64()),  # in a tar, with headers and padding
        ("groups", pa.list_(GROUP)),
    ]
)

# pack: one row per QA pair, so that trainers can balance and users can filter without opening a tar.
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
        ("sample_key", pa.string()),  # of the WebDataset sample: video_id, or video_id + "-" + part if it was split
        ("row", pa.int32()),  # of the pair in its sample: index into .qa.json and into the Q axis of the tokens
        ("qa_offset", pa.int64()),  # of the data of the member in the tar
        ("qa_bytes", pa.int64()),
        ("tokens_offset", pa.int64()),
        ("tokens_bytes", pa.int64()),
        ("clips_offset", pa.int64()),  # of the clip tokens of the video, in its first sample; null: there are none
        ("clips_bytes", pa.int64()),
        ("duration_s", pa.float64()),  # of the sample
        ("sample_window", SPAN),  # see QA
        ("num_frames", pa.int32()),
        ("num_keyframes", pa.int32()),
        ("num_visual_tokens", pa.int32()),  # keyframe tokens and merged tokens of this QA pair
    ]
)

# One row per shard that longvid has written, and therefore may delete.
SHARD = pa.schema(
    [
        ("shard", pa.string()),
        ("split", pa.string()),
        ("sample_keys", pa.list_(pa.string())),  # keys of its WebDataset samples
        ("num_samples", pa.int64()),  # QA pairs: rows of `samples`
        ("shard_bytes", pa.int64()),
        ("shard_sha256", pa.string()),  # null, like all columns but `shard`: a build was about to write it
    ]
)
