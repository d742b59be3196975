"""Video files whose every picture shows its own number, so that a test can read which picture it was given."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 12
CELL = 16


def write_video(
    path: Path,
    times_s: Iterable[float],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container: str | None = None,
    time_base: Fraction = Fraction(1, 90000),
    size: tuple[int, int] = (BITS * CELL, 3 * CELL),
    gop: int = 12,
    b_frames: int = 2,
    pixel_format: str = "yuv420p",
) -> Path:
    """One picture at each time (seconds, ascending); picture i shows the number i."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=30, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt, stream.gop_size, stream.max_b_frames = pixel_format, gop, b_frames
        stream.time_base = stream.codec_context.time_base = time_base
        for number, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(draw(number, size), "rgb24")
            frame.pts, frame.time_base = round(time_s / time_base), time_base
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def draw(number: int, size: tuple[int, int] = (BITS * CELL, 3 * CELL)) -> np.ndarray:
    """Cells of black and white: the bits of a number, least first, from left to right. RGB [height, width, 3]."""
    bits = np.array([number >> bit & 1 for bit in range(BITS)], np.uint8) * 255
    row = bits[np.arange(size[0]) * BITS // size[0]]
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (size[1], size[0], 3)))


def read_number(rgb: np.ndarray) -> int:
    """The number a picture shows, at any size."""
    height, width = rgb.shape[:2]
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return sum(int(rgb[height // 2, x].mean() > 127) << bit for bit, x in enumerate(centres))
