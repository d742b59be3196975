"""Opens untrusted media files: only containers that include their data, without access to networks or other files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.logging
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from schemas.rejects import Reject

MediaSource = str | Path | int
"""A file's path, or a descriptor that is open for reading, as in the sandbox."""

# Demuxers whose data lies in the file itself. What names other files or hosts (hls, concat, dash, sdp, image2, imf,
# ...) and still images are not among them; audio formats are, so that they are refused for what they are.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,asf_o,rm,ogg,mxf,gxf,nut,wtv,"
    "dv,nsv,nuv,ivf,obu,av1,h264,hevc,vvc,h263,h261,m4v,vc1,vc1test,cavsvideo,dirac,mjpeg,yuv4mpegpipe,roq,smk,"
    "bink,flic,amv,thp,pva,ty,dhav,lmlm4,mp3,wav,flac,aac,ac3,eac3,aiff,w64,amr"
)

# The clocks of these formats may start at any time; the first frame of the file is at a player's second 0.
ARBITRARY_CLOCKS = {
    "mpegts",
    "mpeg",
    "rm",
    "asf",
    "asf_o",
    "flv",
    "live_flv",
    "wtv",
    "dv",
    "ty",
    "pva",
    "mxf",
    "gxf",
    "nsv",
}

_MATROSKA_HEADER_BYTES = 4 + 1 + 127  # with the shortest length field
_STILL_BRANDS = ("avif", "heic", "heix", "mif1", "msf1")
_OPTIONS = {"format_whitelist": CONTAINERS, "enable_drefs": "0", "use_absolute_path": "0"}


@contextmanager
def open_media(path: MediaSource) -> Iterator[InputContainer]:
    """Opens a container, and closes it at the end of the block, since an open decoder keeps memory and threads.

    One at a time of a descriptor, which has one position.

    Raises:
        Reject: `empty_file`, `not_found`, or `not_a_video` where no accepted demuxer knows the file.
    """
    av.logging.set_libav_level(av.logging.FATAL)  # untrusted files must not print to stderr
    if not isinstance(path, int) and not Path(path).is_file():
        raise Reject("not_found", "no such file")
    if (os.fstat(path) if isinstance(path, int) else Path(path).stat()).st_size == 0:
        raise Reject("empty_file", "0 bytes")
    if isinstance(path, int):
        os.lseek(path, 0, os.SEEK_SET)
        name, protocol = "fd:", {"protocol_whitelist": "fd", "fd": str(path)}
    else:  # absolute, so that no name is read as a protocol
        name, protocol = str(Path(path).absolute()), {"protocol_whitelist": "file"}
    try:
        container = av.open(name, options={**_OPTIONS, **protocol}, metadata_errors="replace")
    except av.ArgumentError:
        raise Reject("not_a_video", "a playlist, a still image or another container that is not accepted") from None
    except MemoryError:  # not a fault of the file; first, since libav's is also an FFmpegError
        raise
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise Reject("not_a_video", f"no media container: {reason(error)}") from None
    with container:
        yield container


def video_stream(container: InputContainer) -> VideoStream:
    """Returns the stream that a player shows: the first default one, else the first; never cover art or thumbnails.

    Every other stream is set to be skipped by the demuxer.

    Raises:
        Reject: `no_video_stream`, or `undecodable` where there is no decoder for its codec.
    """
    brand = container.metadata.get("major_brand", "")
    if brand in _STILL_BRANDS:
        raise Reject("not_a_video", f"a still image (brand {brand})")
    no_video = Disposition.attached_pic | Disposition.timed_thumbnails
    moving = [s for s in container.streams.video if not s.disposition & no_video]
    if not moving:
        kinds = sorted({s.type for s in container.streams})
        raise Reject("no_video_stream", f"streams: {', '.join(kinds) or 'none'}")
    decodable = [s for s in moving if s.codec_context is not None]
    if not decodable:
        raise Reject("undecodable", "no decoder for the codec of the video stream")
    secondary = Disposition.dependent | Disposition.multilayer | Disposition.still_image
    stream = min(
        decodable,
        # A track with one frame beside a longer one is a poster, whatever its flags.
        key=lambda s: (
            s.frames == 1,
            bool(s.disposition & secondary),
            not s.disposition & Disposition.default,
            s.index,
        ),
    )
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    return stream


def file_name(path: MediaSource) -> str:
    """Returns an absolute name, for libraries that accept nothing else."""
    return f"/proc/self/fd/{path}" if isinstance(path, int) else str(Path(path).absolute())


def check_self_contained(path: MediaSource) -> None:
    """Checks a file before another FFmpeg opens it, which has no list of accepted demuxers.

    Lists of other files are text, and whoever looks for text stops at a NUL, or is outbid by Matroska's whole header.

    Raises:
        Reject: `undecodable` where the file could be taken for such a list.
    """
    with Path(file_name(path)).open("rb") as file:
        head = file.read(_MATROSKA_HEADER_BYTES)
    named = head.startswith(b"\x1aE\xdf\xa3") and (b"matroska" in head or b"webm" in head)
    short_header = len(head) > 4 and head[4] >= 0x80
    # The data after an ID3 tag is checked, too.
    if head.startswith(b"ID3") or not (b"\0" in head[:6] or (named and short_header)):
        raise Reject("undecodable", "other decoders might take it for a list of other files")


def reason(error: BaseException) -> str:
    """Returns a libav error message without the path in it."""
    return getattr(error, "strerror", None) or type(error).__name__
