"""Probes a video file by demuxing all of it and decoding its first frame. The header is only used for comparison."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from schemas.rejects import Reject
from workers.media.container import MediaSource, open_media, video_stream
from workers.media.demuxer import Demuxer
from workers.media.file_facts import facts_of
from workers.media.packet_index import PacketIndex, clock_origin, read_index
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
        facts = facts_of(demuxer, index, origin, frame, first.packets_before)
        _READ.clear()
        _READ[_identity(path)] = index, origin
        return facts


def sample_grid(path: MediaSource, sampling: Sampling) -> SampleGrid:
    """Returns the samples and segments of a video.

    Raises:
        Reject: as `open_media` and `video_stream`; `no_frames`.
    """
    index, points = _index_and_points(path)
    phase, frames_to_decode = plan_samples(index, points, sampling)
    return SampleGrid(points, phase, segments(points, sampling, phase), frames_to_decode)


def _index_and_points(path: MediaSource) -> tuple[PacketIndex, AccessPoints]:
    """Returns the packets, and the key frames that decoding can start on.

    Only the first of these where times don't tell a place in the file (missing pts, timestamp discontinuities).
    """
    identity = _identity(path)
    index, origin = _READ.pop(identity) if identity in _READ else _index_and_origin(path)
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
