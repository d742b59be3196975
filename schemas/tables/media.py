"""Schemas of videos and of what is computed from their frames: one per stage, with a comment per column."""

import pyarrow as pa

# One row of the user's manifest. Only `uri` must be given.
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
        ("events", pa.string()),  # JSON, a list; parsed by annotate
        ("conversations", pa.string()),  # JSON, a list of conversations in LLaVA form
        ("conversation_origins", pa.string()),  # JSON, a list of ORIGIN, one per conversation
        ("annotation_licence", pa.string()),  # of all annotations of the row that state no licence of their own
    ]
)

# download: one row per video, with what demuxing the whole file found; header values are not trusted.
VIDEO = pa.schema(
    [
        ("video_id", pa.string()),  # 16 hex digits, a hash of the manifest's id, or of its uri if there is no id
        ("name", pa.string()),  # the manifest's id, as the user wrote it
        ("uri", pa.string()),  # as in the manifest, without credentials and query; for an absolute path, the file name
        ("media", pa.string()),  # path in the corpus ("media/..."); null: referenced in place, at the manifest's uri
        ("sha256", pa.string()),
        ("size_bytes", pa.int64()),
        ("licence", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("container", pa.string()),
        ("codec", pa.string()),
        ("pixel_format", pa.string()),
        ("width", pa.int32()),  # as displayed: cropped, with square pixels, after rotation
        ("height", pa.int32()),
        ("rotation", pa.int32()),  # degrees clockwise to apply for display: 0, 90, 180, 270; after mirroring
        ("frame_count", pa.int64()),  # number of displayed frames, by demuxing
        ("first_frame_s", pa.float64()),  # presentation time of the first frame
        ("duration_s", pa.float64()),  # end of the last frame minus start of the first, by demuxing
        ("header_duration_s", pa.float64()),  # according to the header; null if it has none
        ("average_fps", pa.float64()),
        ("audio_codec", pa.string()),  # null: no audio
        ("flags", pa.list_(pa.string())),  # codes of schemas.flags
    ]
)

# shard: one row per segment, a few minutes that start at a key frame of the stream.
SEGMENT = pa.schema(
    [
        ("video_id", pa.string()),
        ("segment_id", pa.string()),  # video_id + "-" + five digits
        ("segment_index", pa.int32()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("seek_pts", pa.int64()),  # of the key frame at which decoding starts, in the stream's time base
        # Sample i has the nominal time sample_origin_s + i * sample_period_s.
        ("first_sample", pa.int64()),
        ("num_samples", pa.int64()),
        ("sample_origin_s", pa.float64()),
        ("sample_period_s", pa.float64()),
        ("sample_tolerance_s", pa.float64()),  # how much earlier or later than that a frame may start
        ("sample_phase", pa.float64()),  # of the video: periods between the first frame and sample 0, 0 to 1
        ("frames_to_decode", pa.int32()),  # planned by the shard stage from the packets
    ]
)

# decode: one row per kept frame. A source frame that two samples fall on is kept once. `wanted`, `decoder_errors` and
# `frames_decoded` are counted up to the row: the last row of a segment has the totals of the segment.
FRAME = pa.schema(
    [
        ("video_id", pa.string()),
        ("segment_id", pa.string()),
        ("sample_index", pa.int64()),
        ("time_s", pa.float64()),  # true presentation time of the kept frame
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("wanted", pa.int32()),  # frames requested from the segment: more than rows if some cannot be decoded
        ("decoder_errors", pa.int32()),  # frames of the segment on which the decoder reported errors, kept or not
        ("frames_decoded", pa.int32()),  # frames sent to the decoder; null: the library does not report it
        ("source_width", pa.int32()),  # of the frame as decoded, before scaling to square pixels and rotation
        ("source_height", pa.int32()),
        ("jpeg", pa.binary()),
    ]
)

# embed: one row per frame, in the order of the frames.
EMBEDDING = pa.schema(
    [
        ("video_id", pa.string()),
        ("segment_id", pa.string()),
        ("sample_index", pa.int64()),
        ("time_s", pa.float64()),
        ("embedding", pa.list_(pa.float16())),  # L2-normalised, in the joint space of embed.tower
    ]
)

# find_shots: one row per shot. Shots cover the video from its first frame to its end without gaps.
SHOT = pa.schema(
    [
        ("video_id", pa.string()),
        ("shot_index", pa.int32()),
        ("start_s", pa.float64()),  # half way between the last frame of the previous shot and the first of this one
        ("end_s", pa.float64()),
        ("first_frame", pa.int64()),  # position in the video's kept frames
        ("num_frames", pa.int32()),
        ("cut_by", pa.list_(pa.string())),  # what detected the cut: "pixels", "embedding"; empty: black starts or ends
        ("pixel_change", pa.float32()),  # at that cut; null: the first shot of the video
        ("embedding_change", pa.float32()),  # 1 - cosine
        ("luma", pa.float32()),  # mean, 0 to 255
        ("black_share", pa.float32()),  # of its frames
        ("still_share", pa.float32()),  # of its steps from one frame to the next
        ("flags", pa.list_(pa.string())),  # "black" | "slides" | "frozen"
        ("embedding", pa.list_(pa.float16())),  # mean over its frames, L2-normalised
        ("keys", pa.list_(pa.int64())),  # videos with common keys may be copies
        ("layouts", pa.binary()),  # GRID x GRID bytes per frame, see workers/shots/thumbnails.py
    ]
)

# The table `frames`, from embed and find_shots: one row per kept frame, ordered by video and time.
SEEN_FRAME = pa.schema(
    [
        ("video_id", pa.string()),
        ("time_s", pa.float64()),
        ("end_s", pa.float64()),  # of the video
        ("layout", pa.binary()),  # GRID x GRID bytes, see workers/shots/thumbnails.py
        ("embedding", pa.binary()),  # float16, little-endian: DuckDB has no such type
    ]
)

# find_duplicates: one row per pair; the video with the lower id counts as the original.
DUPLICATE = pa.schema(
    [
        ("video_id", pa.string()),
        ("duplicate_of", pa.string()),
        ("exact", pa.bool_()),  # the same file
        ("similarity", pa.float32()),  # correlation of the changes in the overlap; 1: exact
        ("covered", pa.float32()),  # share of the video that matches the other
        ("covered_of_other", pa.float32()),
        ("offset_s", pa.float64()),  # second t matches second t + offset_s of the other video; to about a second
    ]
)
