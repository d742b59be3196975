"""What is odd about a video but no reason to reject it: codes in the column `flags` of the table `videos`."""

# Found in the file, when it is downloaded.
FILE_FLAGS = {
    "truncated": "the video's own stream ends before its header says, or reading it ended with an error",
    "header_duration_off": "the length in the header is not that of the video",
    "variable_frame_rate": "frames are not the same time apart",
    "no_timestamps": "the container doesn't say when each frame is shown; they are evenly spaced",
    "timestamp_jumps": "the clock was reset or spliced, and is continued; or, in MPEG-PS without sound, a frame is "
    "shown for over 10 s, and the time beyond is cut out",
    "demuxer_error": "reading the container ended with an error",
    "undecodable_start": "the first packets give no frame",
    "interlaced": "each frame is two fields, of which one is kept; with decode.convert = false both",
    "anamorphic": "pixels are not square; frames are kept with square ones",
    "container_crop": "the container says to cut the edges off; old players show them, frames are kept without",
    "mirrored": "frames are mirrored for display, and kept so",
    "alpha": "parts may be transparent; they are kept black",
    "hdr": "colours have a PQ or HLG transfer function; they are tone-mapped, unless decode.convert = false",
    "bt2020": "colours have the primaries of BT.2020; they are kept as BT.709, unless decode.convert = false",
    "several_video_streams": "one of several video streams was taken",
}
# Found in the frames, when they are decoded.
DECODE_FLAGS = {
    "partly_decoded": "frames that were wanted could not be decoded: see `decoded_share`",
    "decoder_errors": "the decoder reported errors on frames: see `decoder_errors`",
    "resolution_changes": "frames were decoded in more than one size: see `source_sizes` of the table `segments`",
}
# Found in subtitles and events, when they are read.
PARTLY_ANNOTATED = "partly_annotated"
ANNOTATION_FLAGS = {
    "encoding_detected": "subtitles are not UTF-8; their encoding was found from the text",
    "invalid_utf8": "subtitles have bytes that are no UTF-8; U+FFFD stands for them",
    "subtitles_not_text": "metadata or thumbnails in subtitles were left out",
    "long_lines_cut": "lines of subtitles were cut to their longest length",
    "events_in_milliseconds": "times of events were milliseconds, and were converted",
    "events_outside_video": "events that lie wholly outside the video were left out: see `events_outside_video`",
    PARTLY_ANNOTATED: "models could not annotate some segments: see `rejects`",
}
