"""Samples with torchcodec, if it and its FFmpeg libraries are installed; on CUDA if requested.

It tells nothing but pixels. How they are to be shown, frames of PyAV say.
"""

from collections.abc import Iterator
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

_BATCH = 8  # frames at the size of the source


def decode(
    path: MediaSource,
    segment: Segment,
    *,
    short_side: int,
    convert: bool = True,
    threads: int = 1,
    device: str = "cpu",
) -> Iterator[SampledFrame]:
    """Yields the segment's sampled frames, in order of time.

    Raises:
        Reject: `undecodable`; as `open_media` and `video_stream`.
        ImportError: torchcodec or its libraries are not installed.
    """
    check_self_contained(path)
    with open_media(path) as container:
        stream = video_stream(container)
        number = stream.index
        index = read_index(Demuxer(container, stream))
    if index.missing_pts or index.discontinuities:
        raise Reject("undecodable", "torchcodec goes by times, and those of this file are not to be trusted")
    plan = make_plan(index, segment)
    # The middle of the tick, so that rounding of floats cannot change the frame.
    times = (plan.wanted_pts_W + 0.5) * float(index.time_base)
    with appearance(path, segment, plan.wanted_pts_W.tolist()) as (geometry, likes):
        render = Renderer(short_side, geometry, convert)
        frames = _frames(path, times, stream_index=number, num_ffmpeg_threads=threads, device=device)
        for (rgb, time_s), sample, like in zip(frames, plan.sample_index_W.tolist(), likes, strict=False):
            pts = int(np.rint(time_s / float(index.time_base)))
            true_s, size = float(segment.time_s(pts, index.time_base)), source_size(rgb, like)
            yield SampledFrame(sample, true_s, render.array(rgb, like), len(times), *size)


def _frames(path: MediaSource, times_s: np.ndarray, **options: Any) -> Iterator[tuple[np.ndarray, float]]:
    """Yields RGB [height, width, 3] and start time of the frames shown at some times."""
    from torchcodec.decoders import VideoDecoder

    try:
        decoder = VideoDecoder(file_name(path), dimension_order="NHWC", seek_mode="exact", **options)
        # For torchcodec, a last frame of unknown duration has no length, and no frame is shown at its time.
        before_end = int(np.searchsorted(times_s, decoder.metadata.end_stream_seconds))
        for start in range(0, before_end, _BATCH):
            batch = decoder.get_frames_played_at(times_s[start : min(start + _BATCH, before_end)].tolist())
            yield from zip(batch.data.cpu().numpy(), batch.pts_seconds.tolist(), strict=True)
        if before_end < len(times_s):
            last = decoder.get_frame_at(len(decoder) - 1)
            yield last.data.cpu().numpy(), last.pts_seconds
    except (RuntimeError, ValueError, IndexError) as error:
        raise Reject("undecodable", f"torchcodec: {type(error).__name__}") from None
