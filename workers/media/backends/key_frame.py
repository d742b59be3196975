"""Finds the key frame from which PyAV reads a segment, by seeking if possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, dropwhile, islice

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from workers.media.container import MediaSource, open_media, video_stream
from workers.media.decode_plan import Segment
from workers.media.demuxer import Demuxer, codec_name, tick
from workers.media.geometry import Geometry
from workers.media.orientation import turned


@contextmanager
def at_key_frame(
    path: MediaSource, segment: Segment, threads: int
) -> Iterator[tuple[Demuxer, Iterable[Packet[VideoStream]]]]:
    """Returns the demuxer of the video stream, and its packets from the segment's key frame on."""
    if segment.segment_index > 0:
        with open_media(path) as container:
            stream = _decodable(container, threads)
            _prime(container, stream)
            demuxer = Demuxer(container, stream, from_start=False)
            packets = _seek(demuxer, segment.seek_pts)
            if packets is not None:
                yield demuxer, packets
                return
    with open_media(path) as container:
        demuxer = Demuxer(container, _decodable(container, threads), from_start=segment.segment_index == 0)
        if segment.segment_index > 0:  # seeking is not possible: read up to it
            yield demuxer, dropwhile(lambda p: p.pts != segment.seek_pts or not p.is_keyframe, demuxer)
        else:
            yield demuxer, demuxer


@contextmanager
def appearance(
    path: MediaSource, segment: Segment, wanted_pts: Iterable[int]
) -> Iterator[tuple[Geometry, Iterator[VideoFrame | None]]]:
    """Yields the geometry of the stream, and for each wanted time a frame of PyAV's that is shown as the wanted one is.

    It is for decoders that tell nothing but pixels. The times ascend.

    Where each frame has its own shape, the last key frame before, since a shape begins with one; elsewhere the first
    frame of the segment that decodes. None where nothing decodes.
    """
    with at_key_frame(path, segment, threads=1) as (demuxer, packets):
        geometry = Geometry.of(demuxer.container, demuxer.stream)
        yield geometry, _last_before(_samples(demuxer.stream.codec_context, packets, geometry.follows), wanted_pts)


def _samples(
    context: VideoCodecContext, packets: Iterable[Packet[VideoStream]], each_key: bool
) -> Iterator[VideoFrame]:
    """Yields the first frame that can be decoded, and with `each_key` each key frame."""
    found = False
    for packet in chain(packets, [None]):
        alone = each_key and packet is not None and packet.is_keyframe
        if found and not alone:
            continue
        for frame in _decode(context, packet, alone):
            found = True
            yield frame
        if found and not each_key:
            return


def _decode(context: VideoCodecContext, packet: Packet[VideoStream] | None, alone: bool) -> list[VideoFrame]:
    """Yields the frames that the decoder returns for a packet; with `alone`, the decoder is flushed after it."""
    frames: list[VideoFrame] = []
    try:
        frames += context.decode(packet)
        if alone:
            frames += context.decode(None)
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError):
        pass  # later packets may be decodable
    if alone:
        context.flush_buffers()
    return frames


def _last_before(frames: Iterator[VideoFrame], wanted_pts: Iterable[int]) -> Iterator[VideoFrame | None]:
    """Yields the last frame shown at or before each time; before the first frame, the first one."""
    last = following = next(frames, None)
    for pts in wanted_pts:
        while following is not None and following.pts is not None and following.pts <= pts:
            last, following = following, next(frames, None)
        yield last


def source_size(rgb: np.ndarray, like: VideoFrame | None) -> tuple[int, int]:
    """Returns the decoded width and height of a frame that another decoder has rotated."""
    height, width = rgb.shape[:2]
    return (height, width) if like is not None and turned(like).transposed else (width, height)


def _decodable(container: InputContainer, threads: int) -> VideoStream:
    stream = video_stream(container)
    stream.thread_type, stream.thread_count = "SLICE" if threads == 1 else "AUTO", threads
    return stream


def _prime(container: InputContainer, stream: VideoStream) -> None:
    """Passes the stream's first packet to the decoder, if later packets depend on it.

    Builds of x264 before 151 coded 4:4:4 wrongly; they name themselves in the first packet only, and FFmpeg's decoder
    follows them only where it saw that.
    """
    if codec_name(stream) != "h264" or "444" not in (stream.pix_fmt or ""):
        return
    try:
        for packet in islice(Demuxer(container, stream, from_start=False), 1):
            stream.codec_context.decode(packet)
        stream.codec_context.decode(None)
    except MemoryError:
        raise
    except av.FFmpegError:
        pass  # decoding reports the error at the frames that it affects
    stream.codec_context.flush_buffers()


def _seek(demuxer: Demuxer, seek_pts: int) -> Iterator[Packet[VideoStream]] | None:
    """The packets from the one at `seek_pts` on; None where seeking doesn't lead there. Seeks by decode time and by
    imprecise indexes land late or early: each next try starts earlier.
    """
    for margin_s in (0, 2, 15, 120):
        try:
            demuxer.container.seek(seek_pts - int(margin_s / tick(demuxer.stream)), stream=demuxer.stream)
            packets = iter(demuxer)
            for packet in packets:
                if packet.pts == seek_pts and packet.is_keyframe:
                    return chain([packet], packets)
                if packet.dts is not None and packet.dts > seek_pts:
                    break
        except MemoryError:
            raise
        except av.FFmpegError:
            continue
    return None
