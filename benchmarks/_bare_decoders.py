"""What our decode is measured against: the libraries as their users write them, for the same frames.

Each loop yields, for each of the times, ascending, the frame shown then: RGB, uint8 [height, width, 3], of the wanted
size, on one thread. All frames are decoded in order, or sought for, as the library does it.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

Loop = Callable[[Path, list[float], int, int], Iterator[np.ndarray]]
_BATCH = 32


def pyav(path: Path, times: list[float], width: int, height: int) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "SLICE", 1
        before, wanted = None, iter([*times, float("inf")])
        time_s = next(wanted)
        for frame in container.decode(stream):
            while before is not None and frame.time > time_s + 1e-4:
                yield before.to_ndarray(format="rgb24", width=width, height=height)
                time_s = next(wanted)
            before = frame
        if before is not None and time_s < float("inf"):
            yield before.to_ndarray(format="rgb24", width=width, height=height)


def decord(path: Path, times: list[float], width: int, height: int) -> Iterator[np.ndarray]:
    from decord import VideoReader

    reader = VideoReader(str(path), num_threads=1, width=width, height=height)
    starts = reader.get_frame_timestamp(range(len(reader)))[:, 0]
    numbers = np.searchsorted(starts, np.array(times) + 1e-4, side="right") - 1
    for start in range(0, len(numbers), _BATCH):
        yield from reader.get_batch(numbers[start : start + _BATCH]).asnumpy()


def torchcodec(path: Path, times: list[float], width: int, height: int) -> Iterator[np.ndarray]:
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize

    options = {"num_ffmpeg_threads": 1, "dimension_order": "NHWC", "seek_mode": "approximate"}
    decoder = VideoDecoder(str(path), **options)
    if (decoder.metadata.height, decoder.metadata.width) != (height, width):
        decoder = VideoDecoder(str(path), transforms=[Resize((height, width))], **options)
    for start in range(0, len(times), _BATCH):
        yield from decoder.get_frames_played_at(times[start : start + _BATCH]).data.numpy()


def ffmpeg(path: Path, times: list[float], width: int, height: int) -> Iterator[np.ndarray]:
    """The command line, its frames read from a pipe; the times must be a second apart."""
    import imageio_ffmpeg

    # Rounding up, the n-th frame is the last one that starts at or before second n, counted from the first time.
    filters = f"setpts=PTS-{times[0]}/TB,fps=1:round=up,scale={width}:{height}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-threads", "1", "-filter_threads", "1"]
    command += ["-i", str(path), "-an", "-sn", "-vf", filters, "-threads", "1", "-pix_fmt", "rgb24"]
    command += ["-frames:v", str(len(times)), "-f", "rawvideo", "-"]
    size = width * height * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=size) as process:
        while len(data := process.stdout.read(size)) == size:
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)


LOOPS: dict[str, Loop] = {"pyav": pyav, "decord": decord, "torchcodec": torchcodec, "ffmpeg": ffmpeg}
