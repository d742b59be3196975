"""Probes a video file by demuxing all of it and decoding its first frame. The header is only used for comparison."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from schemas.rejects import Reject
from workers.media.colour import BT2020, is_hdr
from workers.media.container import MediaSource, open_media, video_stream
from workers.media.demuxer import Demuxer, codec_name
from workers.media.durations import Claim, ends_early, header_claim, last_duration
from workers.media.geometry import Geometry
from workers.media.orientation import orientation
from workers.media.packet_index import PacketIndex, clock_origin, read_index
from workers.media.render import shows_through
from workers.media.sample_grid import AccessPoints, SampleGrid, Sampling, plan_samples, segments
from workers.media.ticks import seconds
from workers.media.video_facts import VideoFacts

# The packets of the file that this process probed last, and the time that players display as 0: `sample_grid`, which
# is called next, does not read the file again.
_READ: dict[tuple[int, ...] | None, tuple[PacketIndex, int]] = {}


def probe(path: MediaSource) -> VideoFacts:
    """Demuxes the whole file and decodes up to its first frame.

    Raises:
        Reject: `empty_file`, `not_a_video`, `no_video_stream`, `no_frames`, `encrypted`, `undecodable`.
    """
    with open_media(path) as container:
        stream = video_stream(container)
        first = _FirstFrame(stream)
        demuxer = Demuxer(container, stream)
        index = read_index(demuxer, first.watch(demuxer))
        frame = first.frame or first.flush()
        if frame is None or not index.shown_P.any():
            if first.encrypted:
                raise Reject("encrypted", "the packets are encrypted, and there is no key")
            raise Reject(
                "no_frames", f"{len(index)} packets, {first.errors} decoder errors, no frame {index.error}".strip()
            )
        origin = clock_origin(demuxer, int(index.shown_pts()[0]))
        facts = _facts(demuxer, index, origin, frame, first.packets_before)
        _READ.clear()
        _READ[_identity(path)] = index, origin
        return facts


def access_points(path: MediaSource) -> AccessPoints:
    """The key frames of the stream that decoding can start on. Only the first, where times don't tell a place in the
    file (no presentation times, a clock that jumps).

    Raises:
        Reject: as `open_media` and `video_stream`; `no_frames`.
    """
    return _index_and_points(path)[1]


def sample_grid(path: MediaSource, sampling: Sampling) -> SampleGrid:
    """Returns the samples and segments of a video. Raises Reject like `access_points`."""
    index, points = _index_and_points(path)
    phase, frames_to_decode = plan_samples(index, points, sampling)
    return SampleGrid(points, phase, segments(points, sampling, phase), frames_to_decode)


def _index_and_points(path: MediaSource) -> tuple[PacketIndex, AccessPoints]:
    index, origin = _READ.pop(_identity(path), None) or _index_and_origin(path)
    shown = index.shown_pts()
    points = np.unique(index.pts_P[index.random_access_P & index.shown_P])
    if index.missing_pts or index.discontinuities:
        points = points[:0]
    pts = np.union1d(shown[:1], points[points > shown[0]])
    # Of random access points with equal times as floats, the first.
    time_s, first = np.unique(seconds(pts - origin, index.time_base), return_index=True)
    return index, AccessPoints(pts[first], time_s)


def _index_and_origin(path: MediaSource) -> tuple[PacketIndex, int]:
    with open_media(path) as container:
        demuxer = Demuxer(container, video_stream(container))
        index = read_index(demuxer)
        if not index.shown_P.any():
            raise Reject("no_frames", "no packet holds a frame that is shown")
        return index, clock_origin(demuxer, int(index.shown_pts()[0]))


def _identity(path: MediaSource) -> tuple[int, ...] | None:
    """Identifies the content of a file; None if it is not there."""
    try:
        status = os.fstat(path) if isinstance(path, int) else Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class _FirstFrame:
    """Passes packets on, and decodes them until there is a frame."""

    def __init__(self, stream: VideoStream) -> None:
        self._context = stream.codec_context
        self.frame: VideoFrame | None = None
        self.errors = self.packets_before = 0
        self.encrypted = False

    def watch(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        for packet in packets:
            if self.frame is None:
                self.encrypted |= packet.has_sidedata("encryption_info")
                self._decode(packet)
                self.packets_before += 1
            yield packet

    def flush(self) -> VideoFrame | None:
        self._decode(None)
        return self.frame

    def _decode(self, packet: Packet[VideoStream] | None) -> None:
        try:
            self.frame = next(iter(self._context.decode(packet)), None)
        except av.EOFError:
            pass
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError):
            self.errors += 1


def _facts(demuxer: Demuxer, index: PacketIndex, origin: int, frame: VideoFrame, packets_before: int) -> VideoFacts:
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
