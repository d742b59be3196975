"""Reads the sound of a part of a video, on the timeline of its frames."""

from collections.abc import Callable, Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from schemas.rejects import Reject
from workers.media.audio_format import RATE_HZ, num_samples
from workers.media.container import MediaSource, open_media, video_stream

_RESYNC_S = 0.1  # larger steps of the clock are gaps in the stream; smaller ones are rounding errors
_SEEK_S = 1.0  # audio decoders need some packets before their output is correct


def read_audio(
    path: MediaSource,
    *,
    seek_pts: int,
    seek_s: float,
    start_s: float,
    end_s: float,
    progress: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Returns mono samples at RATE_HZ, int16 [num_samples(start_s, end_s)]; zeros where there is no sound.

    Args:
        seek_pts: a time of the video stream's clock, ...
        seek_s: ... and the second of the video's timeline that it is.
        start_s: seconds on the timeline of the video, as `end_s`.
        progress: called at each packet.

    Raises Reject as `open_media` and `video_stream`, and `undecodable` where there is no sound that can be decoded.
    """
    samples = np.zeros(num_samples(start_s, end_s), np.int16)
    with open_media(path) as container:
        video = video_stream(container)
        assert video.time_base is not None
        origin_s = float(seek_pts * video.time_base) - seek_s
        stream = next((s for s in container.streams.audio if s.codec_context is not None), None)
        if stream is None:
            raise Reject("undecodable", "no audio stream that can be decoded")
        video.discard, stream.discard = Discard.all, Discard.default
        _seek(container, stream, start_s + origin_s - _SEEK_S)
        _fill(samples, _frames(container, stream, progress), start_s + origin_s)
    return samples


def _seek(container: InputContainer, stream: AudioStream, time_s: float) -> None:
    try:
        container.seek(max(0, int(time_s * av.time_base)))
    except av.FFmpegError:
        container.seek(0)


def _frames(container: InputContainer, stream: AudioStream, progress: Callable[[], None]) -> Iterator[AudioFrame]:
    """Yields decoded frames and skips damaged packets. Raises Reject if none of several packets can be decoded."""
    packets = container.demux(stream)
    decoded = failed = 0
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the rest cannot be read
            packet = None
        if packet is None:
            if failed and not decoded:
                raise Reject("undecodable", f"none of the {failed} packets of sound can be decoded")
            return
        progress()
        try:
            frames = packet.decode()
        except av.FFmpegError:
            failed += 1
            continue
        decoded += len(frames)
        yield from frames


def _fill(samples: np.ndarray, frames: Iterator[AudioFrame], start_s: float) -> None:
    """Writes the sound from `start_s` of the container's clock into the samples."""
    resampler, form = _resampler(), None
    position: int | None = None
    for frame in frames:
        if frame.pts is None or frame.time_base is None:
            continue
        at = round((float(frame.pts * frame.time_base) - start_s) * RATE_HZ)
        if position is None or abs(at - position) > _RESYNC_S * RATE_HZ:
            position = at
        if position >= len(samples):
            return
        if form != (form := (frame.format.name, frame.layout.name, frame.sample_rate)):
            resampler = _resampler()  # it accepts frames of one format only
        for part in resampler.resample(frame):
            values = part.to_ndarray().reshape(-1)
            first, last = max(position, 0), min(position + len(values), len(samples))
            if first < last:
                samples[first:last] = values[first - position : last - position]
            position += len(values)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
