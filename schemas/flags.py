"""Unusual properties of a video that are no reason to reject it: codes in the column `flags` of the table `videos`.

This is the reference for users: `tests/schemas/test_flags.py` holds it against the code that sets flags.
"""

# Found in the file, when it is downloaded.
FILE_FLAGS = {
    "truncated": "the video's own stream ends before its header says, or reading it ended with an error",
    "header_duration_off": "the duration in the header differs from that of the video",
    "variable_frame_rate": "the intervals between frames differ",
    "no_timestamps": "the container has no presentation times; frames are evenly spaced",
    "timestamp_jumps": "timestamps are discontinuous, and were made continuous; or, in MPEG-PS without sound, a "
    "frame is shown for over 10 s, and the excess was removed",
    "demuxer_error": "reading the container ended with an error",
    "undecodable_start": "the first packets cannot be decoded",
    "interlaced": "each frame consists of two fields, of which one is kept (with decode.convert = false, both)",
    "anamorphic": "pixels are not square; frames are scaled to square pixels",
    "container_crop": "the container crops the edges, which old players show; frames are cropped",
    "mirrored": "frames are mirrored for display, and stored mirrored",
    "alpha": "parts may be transparent; they are black",
    "hdr": "colours have a PQ or HLG transfer function; they are tone-mapped, unless decode.convert = false",
    "bt2020": "colours have the primaries of BT.2020; they are converted to BT.709, unless decode.convert = false",
    "several_video_streams": "one of several video streams was used",
}
# Found in the frames, when they are decoded.
DECODE_FLAGS = {
    "partly_decoded": "some sampled frames could not be decoded: see `decoded_share`",
    "decoder_errors": "the decoder reported errors on frames: see `decoder_errors`",
    "resolution_changes": "frames were decoded in more than one size: see `source_sizes` of the table `segments`",
}
# Found in subtitles and events, when they are read.
PARTLY_ANNOTATED = "partly_annotated"
ANNOTATION_FLAGS = {
    "encoding_detected": "subtitles are not UTF-8; their encoding was detected from the text",
    "invalid_utf8": "subtitles contain invalid UTF-8 bytes, which were replaced by U+FFFD",
    "subtitles_not_text": "metadata or thumbnails in subtitles were omitted",
    "long_lines_cut": "lines of subtitles were cut to the maximum length",
    "rows_left_out": "rows of a clip list or cues of subtitles that cannot be read were left out: see `dropped`",
    "events_in_milliseconds": "times of events were in milliseconds, and were converted",
    "events_outside_video": "events entirely outside the video were dropped: see `events_outside_video`",
    PARTLY_ANNOTATED: "models could not annotate some segments: see `rejects`",
}
