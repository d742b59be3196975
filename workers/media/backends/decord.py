"""Sampling by decord: an older FFmpeg (4.1: no AV1) with its own index, used only where that agrees with ours.

It tells nothing but pixels. How they are to be shown, frames of PyAV say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from schemas.rejects import Reject
from workers.media.backends import SampledFrame
from workers.media.backends.key_frame import appearance, source_size
from workers.media.container import MediaSource, check_self_contained, file_name, open_media, video_stream
from workers.media.decode_plan import Segment, make_plan
from workers.media.demuxer import Demuxer
from workers.media.packet_index import read_index
from workers.media.render import Renderer

# In others, it seeks to a wrong frame.
_EXACT = {"mov", "mp4", "matroska", "webm", "flv"}
_BATCH = 8  # frames at the size of the source


def decode(
    path: MediaSource, segment: Segment, *, short_side: int, convert: bool = True, threads: int = 1
) -> Iterator[SampledFrame]:
    """Yields the segment's sampled frames, in order of time.

    Raises:
        Reject: `undecodable`; as `open_media` and `video_stream`.
    """
    check_self_contained(path)
    with open_media(path) as container:
        if not set(container.format.name.split(",")) & _EXACT:
            raise Reject("undecodable", f"decord does not seek exactly in {container.format.name}")
        stream = video_stream(container)
        index = read_index(Demuxer(container, stream))
    plan = make_plan(index, segment)
    shown = index.shown_pts()
    # decord counts frames; the number of a frame is its index among all shown frames.
    numbers = np.searchsorted(shown, plan.wanted_pts_W)
    with appearance(path, segment, plan.wanted_pts_W.tolist()) as (geometry, likes), _reader(path, threads) as reader:
        render = Renderer(short_side, geometry, convert)
        if len(reader) != len(shown):
            raise Reject("undecodable", f"decord counts {len(reader)} frames, its container {len(shown)}")
        for start in range(0, len(numbers), _BATCH):
            for offset, rgb in enumerate(_batch(reader, numbers[start : start + _BATCH])):
                sample, time_s = int(plan.sample_index_W[start + offset]), float(plan.time_s_W[start + offset])
                like = next(likes)
                yield SampledFrame(sample, time_s, render.array(rgb, like), len(numbers), *source_size(rgb, like))


@contextmanager
def _reader(path: MediaSource, threads: int) -> Iterator[Any]:
    """Closes the reader at the end of the block, since an open one continues decoding until memory is exhausted."""
    import decord

    try:
        reader = decord.VideoReader(file_name(path), ctx=decord.cpu(0), num_threads=threads)
    except (decord.DECORDError, RuntimeError) as error:
        raise Reject("undecodable", f"decord: {type(error).__name__}") from None
    try:
        yield reader
    finally:
        del reader


def _batch(reader: Any, numbers: np.ndarray) -> np.ndarray:
    import decord

    try:
        return np.asarray(reader.get_batch(numbers.tolist()).asnumpy())
    except (decord.DECORDError, RuntimeError, IndexError) as error:
        raise Reject("undecodable", f"decord: {type(error).__name__}") from None
