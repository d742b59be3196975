"""The geometry of frames for display: the container's crop, the pixel aspect ratio, rotation and mirroring."""

from fractions import Fraction
from io import BytesIO
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from workers.media.orientation import orientation

# These store one pixel aspect ratio for the whole stream. In others, each frame has its own.
_STORES_SHAPE = {"mov", "mp4", "matroska", "webm", "asf", "avi", "mxf", "nut", "rm"}
_STORES_CROP = {"mov", "mp4", "matroska", "webm"}
_MATROSKA_MASTERS = {0x18538067, 0x1654AE6B, 0xAE, 0xE0}  # Segment, Tracks, TrackEntry, Video
_MATROSKA_CROP = {0x54BB: "top", 0x54AA: "bottom", 0x54CC: "left", 0x54DD: "right"}
_SHAPE_STEPS = 3200  # resolution of the measured pixel aspect ratio


class Crop(NamedTuple):
    """Counts the rows and columns of a decoded frame that the container removes for display."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def apply(self, rgb: np.ndarray, frame: tuple[int, int], shown: tuple[int, int]) -> np.ndarray:
        """Returns a view of [height, width, ...] without them.

        Args:
            frame: width and height of the frame of which this is a scaled copy.
            shown: width and height that are to be left.
        """
        (height, width), (columns, rows) = rgb.shape[:2], shown
        left = min(round(self.left * width / frame[0]), max(0, width - columns))
        top = min(round(self.top * height / frame[1]), max(0, height - rows))
        return rgb[top : top + rows, left : left + columns]


class Geometry:
    """Describes the geometry of one stream.

    Args:
        aspect: a pixel's width by its height; None: square.
        follows: each frame may have another one.
    """

    def __init__(self, aspect: Fraction | None = None, crop: Crop = Crop(), follows: bool = False) -> None:
        self._aspect, self._crop, self.follows = aspect, crop, follows
        self._graph: tuple[tuple[int, int, str], Graph] | None = None

    @staticmethod
    def of(container: InputContainer, stream: VideoStream) -> "Geometry":
        """Reads the geometry of a stream from its container."""
        formats = set(container.format.name.split(","))
        crop = container_crop(stream) if formats & _STORES_CROP else Crop()
        aspect = stream.sample_aspect_ratio
        # If the decoder has another one, the container does have its own.
        follows = not formats & _STORES_SHAPE and stream.codec_context.sample_aspect_ratio == aspect
        return Geometry(aspect, crop, follows)

    def crop(self, frame: VideoFrame) -> Crop:
        """Returns no crop if nothing would remain of the frame."""
        crop = self._crop
        return crop if crop.top + crop.bottom < frame.height and crop.left + crop.right < frame.width else Crop()

    def aspect(self, frame: VideoFrame) -> Fraction | None:
        """Returns a pixel's width divided by its height; None if it is square or implausible."""
        aspect = self._measured(frame) if self.follows else self._aspect
        return aspect if aspect and aspect != 1 and Fraction(1, 10) <= aspect <= 10 else None

    def shown_size(self, frame: VideoFrame) -> tuple[int, int]:
        """Returns width and height of a frame for display: cropped, with square pixels, rotated."""
        crop = self.crop(frame)
        width, height = frame.width - crop.left - crop.right, frame.height - crop.top - crop.bottom
        width, height = square_size(width, height, self.aspect(frame))
        return (height, width) if orientation(frame).transposed else (width, height)

    def _measured(self, frame: VideoFrame) -> Fraction | None:
        """Returns a frame's own pixel aspect ratio, which PyAV lacks, from a width computed by libavfilter's scaler."""
        try:
            graph = self._measure_of(frame)
            graph.push(frame)
            measure = graph.pull()
            assert isinstance(measure, VideoFrame)
            found = Fraction(measure.width, _SHAPE_STEPS)
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError):  # the frame is too small, or its pixel format is unknown to filters
            return self._aspect
        known = self._aspect or Fraction(1)
        return known if abs(found - known) * _SHAPE_STEPS <= 1 else found.limit_denominator(100)

    def _measure_of(self, frame: VideoFrame) -> Graph:
        key = (frame.width, frame.height, frame.format.name)
        if self._graph is None or self._graph[0] != key:
            graph = Graph()
            graph.threads = 1
            width = f"clip(round({_SHAPE_STEPS}*sar),1,32000)"
            graph.link_nodes(
                graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
                ),
                graph.add("crop", "2:2:0:0"),
                graph.add("scale", f"w='{width}':h=2:eval=frame:flags=neighbor"),
                graph.add("buffersink"),
            ).configure()
            self._graph = (key, graph)
        return self._graph[1]


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Returns width and height in square pixels; the side that the aspect ratio would shrink is not changed."""
    if not aspect:
        return width, height
    return (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))


def container_crop(stream: VideoStream) -> Crop:
    """Returns what the container says to cut off (Matroska's PixelCrop, MP4's clean aperture).

    PyAV doesn't tell, but copies it into a new file: it is read from the header of a Matroska file of no frames.
    """
    header = BytesIO()
    try:
        # Without random identifiers: where the sandbox keeps FFmpeg from /dev/urandom, their seed takes 50 ms.
        with av.open(header, "w", format="matroska", options={"fflags": "+bitexact"}) as output:
            output.add_stream_from_template(stream)
            output.start_encoding()
            written = header.getvalue()
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError):  # Matroska does not support the codec
        return Crop()
    return Crop(**_crop_elements(memoryview(written)))


def _crop_elements(data: memoryview) -> dict[str, int]:
    """Returns the crop in the output of our own muxer: EBML elements of an ID, a length and data (RFC 8794)."""
    found: dict[str, int] = {}
    while len(data) > 1:
        id_bytes, first = 9 - data[0].bit_length(), data[9 - data[0].bit_length()]
        size_bytes = 9 - first.bit_length()
        element, start = int.from_bytes(data[:id_bytes], "big"), id_bytes + size_bytes
        size = int.from_bytes(data[id_bytes:start], "big") - (1 << 7 * size_bytes)
        if size == (1 << 7 * size_bytes) - 1:  # unknown size: up to the end
            size = len(data) - start
        if element in _MATROSKA_MASTERS:
            found |= _crop_elements(data[start : start + size])
        elif element in _MATROSKA_CROP:
            found[_MATROSKA_CROP[element]] = int.from_bytes(data[start : start + size], "big")
        data = data[start + size :]
    return found
