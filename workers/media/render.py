"""Renders decoded frames for display: square pixels, upright, RGB, scaled to the requested size, BT.709 colours.

Interlaced frames are two moments, every other line. The upper field is kept, and the lines between its own are
interpolated (bicubic): it needs no frames around this one, which are not decoded, and leaves no comb.
"""

import av
import numpy as np
import simplejpeg
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from schemas.rejects import Reject
from workers.media.colour import needs_conversion, to_bt709
from workers.media.container import reason
from workers.media.geometry import Geometry, square_size
from workers.media.orientation import orientation, turned

_LONGEST = 65_500  # pixels of a JPEG's side
_UNSPECIFIED = 2  # AVColorSpace
_SCALE = Interpolation.BICUBIC
_ALPHA = ("yuva", "rgba", "argb", "bgra", "abgr", "gbrap", "ya8", "ya16", "pal8")


def has_alpha(pixel_format: str) -> bool:
    """Returns whether a pixel format (FFmpeg's name) has an alpha channel."""
    return pixel_format.startswith(_ALPHA)


def shows_through(frame: VideoFrame) -> bool:
    """Returns whether frames of this format may be transparent; for a palette, whether the frame's colours are."""
    if frame.format.name != "pal8":
        return has_alpha(frame.format.name)
    indices, palette = frame.to_ndarray(format="pal8")
    return bool((palette[np.unique(indices), 0] < 255).any())


class Renderer:
    """Converts frames of one stream to RGB arrays [height, width, 3] whose short side is at most `short_side`.

    Never larger than the source. Transparent parts are black, as players show them. Raises Reject `undecodable` where
    the pixels are of a format that cannot be converted.

    Args:
        convert: deinterlace, and show HDR and BT.2020 in BT.709 (see `colour.py`); else pixels stay as they are.
    """

    def __init__(self, short_side: int, geometry: Geometry | None = None, convert: bool = True) -> None:
        self._short_side, self._geometry, self._convert = short_side, geometry or Geometry(), convert
        self._scaler, self._painter = VideoReformatter(), VideoReformatter()

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """Renders a decoded frame to uint8 [height, width, 3]."""
        return self._rendered(frame, frame)

    def array(self, rgb: np.ndarray, like: VideoFrame | None) -> np.ndarray:
        """Renders an array [height, width, 3] uint8 that another decoder made of a frame, and turned already.

        Args:
            like: a frame of the same stream, which says what arrays don't; None: there is nothing to say.
        """
        if like is None:
            return self(av.VideoFrame.from_ndarray(rgb, "rgb24"))
        untouched = np.ascontiguousarray(turned(like).undo(rgb))
        return self._rendered(av.VideoFrame.from_ndarray(untouched, "rgb24"), like)

    def _rendered(self, frame: VideoFrame, like: VideoFrame) -> np.ndarray:
        try:
            return self._render(frame, like)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            raise Reject("undecodable", f"pixels of format {frame.format.name}: {reason(error)}") from None

    def _render(self, frame: VideoFrame, like: VideoFrame) -> np.ndarray:
        source, matrix = (frame.width, frame.height), _matrix(frame)
        (width, height), shown = self._sizes(frame, like)
        crop, recolour = self._geometry.crop(frame), self._convert and needs_conversion(like)
        if self._convert and like.interlaced_frame:
            frame = _upper_field(frame)
        rgb = self._rgb(frame, width, height, matrix, deep=recolour)
        if any(crop):
            rgb = crop.apply(rgb, source, shown)
        if recolour:
            rgb = to_bt709(rgb, like.color_trc, like.color_primaries)
        return np.ascontiguousarray(orientation(like).apply(rgb))

    def _sizes(self, frame: VideoFrame, like: VideoFrame) -> tuple[tuple[int, int], tuple[int, int]]:
        """Returns the width and height to which the frame is scaled, and those of its visible part."""
        crop, aspect = self._geometry.crop(frame), self._geometry.aspect(like)
        whole = square_size(frame.width, frame.height, aspect)
        shown = square_size(frame.width - crop.left - crop.right, frame.height - crop.top - crop.bottom, aspect)
        scale = min(1.0, self._short_side / min(shown), _LONGEST / max(shown))
        scaled = [(max(1, round(width * scale)), max(1, round(height * scale))) for width, height in (whole, shown)]
        return scaled[0], scaled[1]

    def _rgb(self, frame: VideoFrame, width: int, height: int, matrix: Colorspace | None, *, deep: bool) -> np.ndarray:
        """Converts to uint8, or to uint16 if `deep`."""
        alpha = has_alpha(frame.format.name)
        if frame.format.name in ("yuv420p", "yuvj420p") and not deep and (width, height) != (frame.width, frame.height):
            # swscale is several times as fast if it first scales and then converts colours.
            frame = self._scaler.reformat(frame, width=width, height=height, interpolation=_SCALE, threads=1)
        rgb = self._painter.reformat(
            frame,
            width=width,
            height=height,
            format=("rgba64le" if alpha else "rgb48le") if deep else ("rgba" if alpha else "rgb24"),
            src_colorspace=matrix,
            interpolation=_SCALE,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        ).to_ndarray()
        if not alpha:
            return rgb
        return (rgb[..., :3].astype(np.uint32) * rgb[..., 3:] // (0xFFFF if deep else 0xFF)).astype(rgb.dtype)


def _upper_field(frame: VideoFrame) -> VideoFrame:
    """Returns every other line, starting with the first."""
    if any(plane.line_size <= 0 for plane in frame.planes):  # a palette, or lines stored from bottom to top
        frame = frame.reformat(format="rgba" if has_alpha(frame.format.name) else "rgb24")
    field = av.VideoFrame(frame.width, (frame.height + 1) // 2, frame.format.name)
    field.colorspace, field.color_range = frame.colorspace, frame.color_range
    for whole, half in zip(frame.planes, field.planes, strict=True):
        pixels = np.frombuffer(memoryview(whole), np.uint8, whole.height * whole.line_size)
        lines = pixels.reshape(whole.height, -1)[::2]
        copy = np.zeros((half.buffer_size // half.line_size, half.line_size), np.uint8)
        size = min(whole.line_size, half.line_size)
        copy[: len(lines), :size] = lines[:, :size]
        half.update(copy.tobytes())
    return field


def _matrix(frame: VideoFrame) -> Colorspace | None:
    """Returns the YUV matrix; if the stream does not specify it, the usual one for its size, like players."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601


def encode_jpeg(rgb: np.ndarray, quality: int) -> bytes:
    """Encodes uint8 [height, width, 3] as baseline JPEG, 4:2:0. Equal arrays give equal bytes.

    Below a quality of 96, libjpeg's fast DCT is used.
    """
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality, colorspace="RGB", colorsubsampling="420"))
