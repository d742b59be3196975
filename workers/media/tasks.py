"""The tasks on media files in the sandbox. Each one gets the descriptor of the file."""

from collections.abc import Iterator
from typing import Any

import av.subtitles.stream
import numpy as np
import numpy.ma

from schemas.rejects import Reject
from workers.media.audio import read_audio
from workers.media.decode_plan import Segment
from workers.media.frame_decoder import sample_frames
from workers.media.probe import probe, sample_grid
from workers.media.render import encode_jpeg
from workers.media.sample_grid import Sampling
from workers.sandbox.task import Message, Task, heartbeat

# Libraries import these lazily; imported here once for all forked processes instead of in each.
_ = (av.subtitles.stream, numpy.ma)


def _probe(file: int) -> Iterator[Message]:
    yield probe(file).columns(), b""


def _sample_grid(file: int, sampling: dict[str, Any]) -> Iterator[Message]:
    grid = sample_grid(file, Sampling(**sampling))
    counts = np.array(grid.frames_to_decode, np.int64)
    payload = grid.access_points.pts.tobytes() + grid.access_points.time_s.tobytes() + counts.tobytes()
    yield {"access_points": len(grid.access_points.pts), "phase": grid.phase}, payload


def _sample(
    file: int, segment: dict[str, Any], jpeg_quality: int, max_pixels: float, **options: Any
) -> Iterator[Message]:
    meter = _Meter(max_pixels)
    for frame in sample_frames(file, Segment(**segment), progress=meter, **options):
        header = frame._asdict()
        rgb = header.pop("rgb")
        yield {**header, "width": rgb.shape[1], "height": rgb.shape[0]}, encode_jpeg(rgb, jpeg_quality)


def _audio(file: int, **part: Any) -> Iterator[Message]:
    yield {}, read_audio(file, **part, progress=heartbeat).tobytes()


class _Meter:
    """Counts decoded pixels, and reports progress of decoding to the caller."""

    def __init__(self, max_pixels: float) -> None:
        self._max, self._count = max_pixels, 0

    def __call__(self, pixels: int) -> None:
        heartbeat()
        self._count += pixels
        if self._count > self._max:
            raise Reject("over_budget", f"more than {self._max / 1e6:.0f} megapixels were decoded")


TASKS: dict[str, Task] = {"probe": _probe, "sample_grid": _sample_grid, "sample": _sample, "audio": _audio}
