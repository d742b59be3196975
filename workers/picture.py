"""A decoded frame as the picture a viewer sees: square pixels, upright, RGB, at the wanted size."""

from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image

from schemas.rejects import Reject
from workers.media_file import reason

_LONGEST = 65_500  # pixels of a JPEG's side
_UNSPECIFIED = 2  # AVColorSpace
_SCALE = Interpolation.BICUBIC
_ALPHA = ("yuva", "rgba", "argb", "bgra", "abgr", "gbrap", "ya8", "ya16", "pal8")


def has_alpha(pixel_format: str) -> bool:
    return pixel_format.startswith(_ALPHA)


def shows_through(frame: VideoFrame) -> bool:
    """Whether frames like this may have transparent parts; a palette, whether colours that the frame uses are."""
    if frame.format.name != "pal8":
        return has_alpha(frame.format.name)
    indices, palette = frame.to_ndarray(format="pal8")
    return bool((palette[np.unique(indices), 0] < 255).any())


def clockwise(frame: VideoFrame) -> int:
    """Degrees clockwise to turn a frame by for display. FFmpeg's display matrix counts the other way round."""
    return round(-frame.rotation / 90) % 4 * 90


def upright_size(frame: VideoFrame, aspect: Fraction | None) -> tuple[int, int]:
    """Width and height in square pixels, before turning; the side that a pixel's aspect would shrink stays."""
    if not aspect or not Fraction(1, 10) <= aspect <= 10:
        return frame.width, frame.height
    if aspect >= 1:
        return round(frame.width * aspect), frame.height
    return frame.width, round(frame.height / aspect)


class Renderer:
    """Turns frames of one stream into RGB arrays [height, width, 3] whose short side is at most `short_side`.

    Never larger than the source. Transparent parts are black, as players show them. Raises Reject `undecodable` where
    the pixels are of a format that cannot be converted.
    """

    def __init__(self, short_side: int, aspect: Fraction | None) -> None:
        self._short_side, self._aspect = short_side, aspect
        self._scaler, self._painter = VideoReformatter(), VideoReformatter()

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        try:
            return self._render(frame)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            raise Reject("undecodable", f"pixels of format {frame.format.name}: {reason(error)}") from None

    def _render(self, frame: VideoFrame) -> np.ndarray:
        width, height = upright_size(frame, self._aspect)
        scale = min(1.0, self._short_side / min(width, height), _LONGEST / max(width, height))
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        matrix, alpha, turn = _matrix(frame), has_alpha(frame.format.name), clockwise(frame)
        if frame.format.name in ("yuv420p", "yuvj420p") and (width, height) != (frame.width, frame.height):
            # swscale is several times as fast at size and then at colour as at both in one.
            frame = self._scaler.reformat(frame, width=width, height=height, interpolation=_SCALE, threads=1)
        rgb = self._painter.reformat(
            frame,
            width=width,
            height=height,
            format="rgba" if alpha else "rgb24",
            src_colorspace=matrix,
            interpolation=_SCALE,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        ).to_ndarray()
        if alpha:
            rgb = (rgb[..., :3].astype(np.uint16) * rgb[..., 3:] // 255).astype(np.uint8)
        return np.ascontiguousarray(np.rot90(rgb, -turn // 90))


def _matrix(frame: VideoFrame) -> Colorspace | None:
    """The YUV matrix; where the stream doesn't say, that of its size, as players guess."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601


def encode_jpeg(rgb: np.ndarray, quality: int) -> bytes:
    """Baseline JPEG, 4:2:0; the same array, the same bytes."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=2)
    return buffer.getvalue()
