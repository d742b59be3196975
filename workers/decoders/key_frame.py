"""Where PyAV starts to read a segment: at its key frame, by seeking where that leads there."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, dropwhile, islice
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from workers.decode_plan import Segment
from workers.demuxer import Demuxer, codec_name, tick
from workers.media_file import open_media, video_stream


@contextmanager
def at_key_frame(path: str | Path, segment: Segment, threads: int) -> Iterator[tuple[Demuxer, Iterable[Packet]]]:
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
        pass  # decoding says what is wrong, at the pictures that it concerns
    stream.codec_context.flush_buffers()


def _seek(demuxer: Demuxer, seek_pts: int) -> Iterator[Packet] | None:
    """The packets from the one at `seek_pts` on; None where seeking doesn't lead there. Seeks by decode time and by
    imprecise indexes land late or early: each next try starts earlier."""
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
