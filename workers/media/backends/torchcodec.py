"""Sampling by torchcodec, where it and the FFmpeg libraries it needs are installed; on CUDA where asked for.

It tells nothing but pixels. How they are to be shown, PyAV's first frame of the segment says.
"""

from collections.abc import Iterator

import numpy as np

from schemas.rejects import Reject
from workers.media.backends import Picture
from workers.media.backends.key_frame import first_frame, source_size
from workers.media.container import MediaSource, check_self_contained, file_name, open_media, video_stream
from workers.media.decode_plan import Segment, make_plan
from workers.media.demuxer import Demuxer
from workers.media.packet_index import read_index
from workers.media.render import Renderer

_BATCH = 8  # pictures at the size of the source


def decode(
    path: MediaSource,
    segment: Segment,
    *,
    short_side: int,
    convert: bool = True,
    threads: int = 1,
    device: str = "cpu",
) -> Iterator[Picture]:
    """The segment's sampled pictures, in the order of time.

    Raises:
        Reject: `undecodable`; as `open_media` and `video_stream`.
        ImportError: torchcodec or its libraries are not installed.
    """
    from torchcodec.decoders import VideoDecoder

    check_self_contained(path)
    with open_media(path) as container:
        stream = video_stream(container)
        number = stream.index
        index = read_index(Demuxer(container, stream))
    if index.by_order or index.jumps:
        raise Reject("undecodable", "torchcodec goes by times, and those of this file are not to be trusted")
    plan = make_plan(index, segment)
    # In the middle of the tick: the picture shown then, whatever the last bit of a float.
    times = (plan.wanted_pts_W + 0.5) * float(index.time_base)
    like, geometry = first_frame(path, segment)
    render = Renderer(short_side, geometry, convert)
    try:
        decoder = VideoDecoder(
            file_name(path),
            stream_index=number,
            dimension_order="NHWC",
            num_ffmpeg_threads=threads,
            device=device,
            seek_mode="exact",
        )
        for start in range(0, len(times), _BATCH):
            batch = decoder.get_frames_played_at(times[start : start + _BATCH].tolist())
            for rgb, time_s, sample in zip(
                batch.data.cpu().numpy(), batch.pts_seconds, plan.sample_index_W[start:], strict=False
            ):
                pts = int(np.rint(float(time_s) / float(index.time_base)))
                true_s, size = float(segment.time_s(pts, index.time_base)), source_size(rgb, like)
                yield Picture(int(sample), true_s, render.array(rgb, like), len(times), *size)
    except (RuntimeError, ValueError, IndexError) as error:
        raise Reject("undecodable", f"torchcodec: {type(error).__name__}") from None
