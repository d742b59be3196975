"""What a probe tells of a video file, by its packets and its first frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.stream import Disposition
from av.video.frame import VideoFrame

from workers.media.colour import BT2020, is_hdr
from workers.media.demuxer import Demuxer, codec_name
from workers.media.durations import Claim, ends_early, header_claim, last_duration
from workers.media.geometry import Geometry
from workers.media.orientation import orientation
from workers.media.packet_index import PacketIndex
from workers.media.render import shows_through
from workers.media.ticks import seconds
from workers.media.video_facts import VideoFacts


def facts_of(demuxer: Demuxer, index: PacketIndex, origin: int, frame: VideoFrame, packets_before: int) -> VideoFacts:
    """Returns the facts of a video.

    Args:
        origin: the time, in ticks, that players display as 0.
        frame: the first one.
        packets_before: number of packets before that of the first frame.
    """
    container, stream = demuxer.container, demuxer.stream
    shown = index.shown_pts()
    start = int(shown[0])
    duration = seconds(int(shown[-1]) + last_duration(demuxer, index) - start, index.time_base)
    geometry = Geometry.of(container, stream)
    width, height = geometry.shown_size(frame)
    audio = next((s for s in container.streams.audio if s.codec_context is not None), None)
    first_s = seconds(start - origin, index.time_base)
    claim = header_claim(container, stream)
    flags = [*_stream_flags(index, shown, packets_before), *_frame_flags(frame, geometry)]
    if sum(not s.disposition & Disposition.attached_pic for s in container.streams.video) > 1:
        flags.append("several_video_streams")
    return VideoFacts(
        container=container.format.name,
        codec=codec_name(stream),
        pixel_format=frame.format.name,
        width=width,
        height=height,
        rotation=orientation(frame).clockwise,
        frame_count=len(shown),
        first_frame_s=first_s,
        duration_s=duration,
        header_duration_s=claim.seconds if claim else None,
        average_fps=len(shown) / duration,
        audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        # Last: it may read the container again.
        flags=(*_length_flags(demuxer, index, claim, seconds(start, index.time_base), duration), *flags),
    )


def _length_flags(
    demuxer: Demuxer, index: PacketIndex, claim: Claim | None, start_s: float, duration_s: float
) -> Iterator[str]:
    tolerance_s = max(1.0, 0.02 * duration_s)
    early = claim is not None and ends_early(demuxer, claim, start_s, duration_s, tolerance_s)
    if index.error or early:
        yield "truncated"
    if claim and (early or claim.seconds < duration_s - tolerance_s):
        yield "header_duration_off"


def _stream_flags(index: PacketIndex, shown: np.ndarray, packets_before: int) -> Iterator[str]:
    gaps = np.diff(shown)
    # One tick of difference is due to the rounding of the time base.
    if len(gaps) and (np.abs(gaps - np.median(gaps)) > np.maximum(1, 0.02 * np.median(gaps))).mean() > 0.01:
        yield "variable_frame_rate"
    if index.missing_pts:
        yield "no_timestamps"
    if index.discontinuities:
        yield "timestamp_jumps"
    if index.error:
        yield "demuxer_error"
    if packets_before > 64 + len(index) // 10:
        yield "undecodable_start"


def _frame_flags(frame: VideoFrame, geometry: Geometry) -> Iterator[str]:
    """Returns the properties of the first frame."""
    if frame.interlaced_frame:
        yield "interlaced"
    if geometry.aspect(frame):
        yield "anamorphic"
    if any(geometry.crop(frame)):
        yield "container_crop"
    if orientation(frame).mirrored:
        yield "mirrored"
    if shows_through(frame):
        yield "alpha"
    if is_hdr(frame):
        yield "hdr"
    if frame.color_primaries == BT2020:
        yield "bt2020"
