"""Where PyAV starts to read a segment: at its key frame, by seeking where that leads there."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, dropwhile, islice
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from workers.decode_plan import Segment
from workers.media_file import open_media, video_stream
from workers.packet_index import codec_name, demux, tick


@contextmanager
def at_key_frame(
    path: str | Path, segment: Segment, threads: int
) -> Iterator[tuple[InputContainer, VideoStream, Iterator[Packet]]]:
    """The file, its video stream, and the stream's packets from the segment's key frame on."""
    if segment.segment_index > 0:
        with open_media(path) as container:
            stream = _decodable(container, threads)
            _prime(container, stream)
            packets = _seek(container, stream, segment.seek_pts)
            if packets is not None:
                yield container, stream, packets
                return
    with open_media(path) as container:
        stream = _decodable(container, threads)
        packets = demux(container, stream)
        if segment.segment_index > 0:  # nothing to seek by: read up to it
            packets = dropwhile(lambda p: p.pts != segment.seek_pts or not p.is_keyframe, packets)
        yield container, stream, packets


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
        for packet in islice(demux(container, stream), 1):
            stream.codec_context.decode(packet)
        stream.codec_context.decode(None)
    except MemoryError:
        raise
    except av.FFmpegError:
        pass  # decoding says what is wrong, at the pictures that it concerns
    stream.codec_context.flush_buffers()


def _seek(container: InputContainer, stream: VideoStream, seek_pts: int) -> Iterator[Packet] | None:
    """The packets from the one at `seek_pts` on; None where seeking doesn't lead there. Seeks by decode time and by
    imprecise indexes land late or early: each next try starts earlier."""
    for margin_s in (0, 2, 15, 120):
        try:
            container.seek(seek_pts - int(margin_s / tick(stream)), stream=stream)
            packets = demux(container, stream)
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
