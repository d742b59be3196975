"""Where PyAV starts to read a segment: at its key frame, by seeking where that leads there."""

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
    """The demuxer of the video stream, and its packets from the segment's key frame on."""
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
        if segment.segment_index > 0:  # nothing to seek by: read up to it
            yield demuxer, dropwhile(lambda p: p.pts != segment.seek_pts or not p.is_keyframe, demuxer)
        else:
            yield demuxer, demuxer


@contextmanager
def appearance(
    path: MediaSource, segment: Segment, wanted_pts: Iterable[int]
) -> Iterator[tuple[Geometry, Iterator[VideoFrame | None]]]:
    """The geometry of the stream, and for each wanted time, ascending, a frame of PyAV's that is shown as the wanted
    one is: for decoders that tell nothing but pixels.

    Where each frame has its own shape, the last key frame before, since a shape begins with one; elsewhere the first
    frame of the segment that decodes. None where nothing decodes.
    """
    with at_key_frame(path, segment, threads=1) as (demuxer, packets):
        geometry = Geometry.of(demuxer.container, demuxer.stream)
        yield geometry, _last_before(_samples(demuxer.stream.codec_context, packets, geometry.follows), wanted_pts)


def _samples(
    context: VideoCodecContext, packets: Iterable[Packet[VideoStream]], each_key: bool
) -> Iterator[VideoFrame]:
    """The first frame that decodes, and with `each_key` each key frame."""
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
    """What the decoder gives for a packet; with `alone`, it is emptied behind it."""
    frames: list[VideoFrame] = []
    try:
        frames += context.decode(packet)
        if alone:
            frames += context.decode(None)
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError):
        pass  # those that come may decode
    if alone:
        context.flush_buffers()
    return frames


def _last_before(frames: Iterator[VideoFrame], wanted_pts: Iterable[int]) -> Iterator[VideoFrame | None]:
    """For each time the last frame that is shown then or before; before the first one, that one."""
    last = following = next(frames, None)
    for pts in wanted_pts:
        while following is not None and following.pts is not None and following.pts <= pts:
            last, following = following, next(frames, None)
        yield last


def source_size(rgb: np.ndarray, like: VideoFrame | None) -> tuple[int, int]:
    """Width and height of a frame that another decoder turned, as it was decoded."""
    height, width = rgb.shape[:2]
    return (height, width) if like is not None and turned(like).transposed else (width, height)


def _decodable(container: InputContainer, threads: int) -> VideoStream:
    stream = video_stream(container)
    stream.thread_type, stream.thread_count = "SLICE" if threads == 1 else "AUTO", threads
    return stream


def _prime(container: InputContainer, stream: VideoStream) -> None:
    """Shows the decoder the stream's first packet, where what comes later depends on it.

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
        pass  # decoding says what is wrong, at the frames that it concerns
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
