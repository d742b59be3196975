"""Video files whose every frame shows its own number, so that a test can read which frame it was given."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer

BITS = 12
CELL = 16


def write_video(
    path: Path,
    times_s: Iterable[float],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    time_base: Fraction = Fraction(1, 90000),
    size: tuple[int, int] = (BITS * CELL, 3 * CELL),
    gop: int = 12,
    b_frames: int = 2,
    pixel_format: str = "yuv420p",
    rate: int = 30,
    aspect: Fraction | None = None,
    sound: str = "",
    sound_from_s: float | None = None,
    sound_s: float = 0.0,
) -> Path:
    """One frame at each time (seconds, ascending); frame i shows the number i.

    Args:
        sound: codec of a silent audio stream, from the first frame, or `sound_from_s`, to the last one or to
            `sound_s`; "": none.
    """
    # FLV cannot be written where sound goes ahead of the decode times that B-frames held for long begin with.
    muxer = {**({"max_interleave_delta": "0"} if path.suffix == ".flv" else {}), **(container_options or {})}
    with _same_priority(), av.open(str(path), "w", format=container, options=muxer) as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        times = list(times_s)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        silence = _Silence(output, sound, times[0] if sound_from_s is None else sound_from_s) if sound else None
        stream.width, stream.height = size
        stream.pix_fmt, stream.gop_size, stream.max_b_frames = pixel_format, gop, b_frames
        stream.time_base = stream.codec_context.time_base = time_base
        for number, time_s in enumerate(times):
            frame = av.VideoFrame.from_ndarray(draw(number, size), "rgb24")
            frame.pts, frame.time_base = round(time_s / time_base), time_base
            if silence:
                silence.write(time_s)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if silence:
            silence.write(sound_s)
            output.mux(silence.stream.encode())
    return path


@contextmanager
def _same_priority() -> Iterator[None]:
    """Undoes that SVT-AV1 gives its caller real-time priority, if it may, beside which others hardly run."""
    if not hasattr(os, "sched_setscheduler"):
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


class _Silence:
    def __init__(self, output: OutputContainer, codec: str, start_s: float) -> None:
        self._output = output
        self.stream = output.add_stream(codec, rate=48_000 if codec == "libopus" else 44_100, layout="mono")
        self._written = round(start_s * self.stream.codec_context.sample_rate)

    def write(self, until_s: float) -> None:
        context = self.stream.codec_context
        size, kind = context.frame_size or 1024, context.format.name
        while self._written < until_s * context.sample_rate:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, size), "f4" if kind == "fltp" else "i2"), kind, "mono")
            frame.sample_rate, frame.pts = context.sample_rate, self._written
            frame.time_base = Fraction(1, context.sample_rate)
            self._output.mux(self.stream.encode(frame))
            self._written += size


def draw(number: int, size: tuple[int, int] = (BITS * CELL, 3 * CELL)) -> np.ndarray:
    """Cells of black and white: the bits of a number, least first, from left to right. RGB [height, width, 3]."""
    bits = np.array([number >> bit & 1 for bit in range(BITS)], np.uint8) * 255
    row = bits[np.arange(size[0]) * BITS // size[0]]
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (size[1], size[0], 3)))


def read_number(rgb: np.ndarray) -> int:
    """The number a frame shows, at any size."""
    height, width = rgb.shape[:2]
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return sum(int(rgb[height // 2, x].mean() > 127) << bit for bit, x in enumerate(centres))
