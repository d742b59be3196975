"""Samples with PyAV. Packets that no wanted frame needs are not passed to the decoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from schemas.rejects import Reject
from workers.media.backends import SampledFrame
from workers.media.backends.held import HeldPackets, select
from workers.media.backends.key_frame import at_key_frame
from workers.media.container import MediaSource, reason
from workers.media.decode_plan import Plan, Segment, make_plan
from workers.media.demuxer import Demuxer, tick
from workers.media.geometry import Geometry
from workers.media.packet_index import PacketIndex, read_index
from workers.media.render import Renderer


def decode(
    path: MediaSource,
    segment: Segment,
    *,
    short_side: int,
    convert: bool = True,
    threads: int = 1,
    progress: Callable[[int], None] = lambda pixels: None,
) -> Iterator[SampledFrame]:
    """Yields the segment's sampled frames, in order of time.

    Args:
        progress: called at each packet with the number of pixels just decoded: frames that are given may be hours apart
            where a damaged one is decoded up to again.

    Where a wanted frame doesn't come out, the segment is decoded again with nothing left out; where it still
    doesn't, the last one before it is kept in its place, once and under its own time. If the decoder reports no error
    there, its packet says "no change" (screen recordings), and the frame before it was the one to keep.

    Raises:
        Reject: `undecodable` where no frame comes out; as `open_media` and `video_stream`.
    """
    sampler = _Sampler(path, segment, threads, partial(Renderer, short_side, convert=convert), progress)
    last: SampledFrame | None = None
    for frame in sampler.frames():
        if last is not None:
            yield last
        last = frame
    if last is not None:
        yield last._replace(wanted=sampler.wanted, decoder_errors=sampler.errors, frames_decoded=sampler.frames_decoded)
    else:
        raise Reject(
            "undecodable", f"no frame from {segment.start_s:.3f} s on: {sampler.error or 'the decoder gave none'}"
        )


class _Sampler:
    def __init__(
        self,
        path: MediaSource,
        segment: Segment,
        threads: int,
        renderer: Callable[[Geometry], Renderer],
        progress: Callable[[int], None],
    ) -> None:
        self._path, self._segment, self._threads = path, segment, threads
        self._renderer, self._progress = renderer, progress
        self._done = 0  # number of wanted frames that were yielded or missed
        self._last_s = -math.inf  # time of the last yielded frame
        self._failed: set[int | None] = set()  # times of packets on which the decoder reported errors
        self._missed = False
        self.wanted = self.errors = 0
        self.frames_decoded = 0  # in all attempts
        self.error = ""

    def frames(self) -> Iterator[SampledFrame]:
        yield from self._attempt(everything=False)
        if self._missed:
            yield from self._attempt(everything=True)

    def _attempt(self, everything: bool) -> Iterator[SampledFrame]:
        """Ends early, with `_missed` set, where a wanted frame is missing and packets were left out."""
        with at_key_frame(self._path, self._segment, self._threads) as (demuxer, packets):
            held = HeldPackets(packets)
            end = int(self._segment.ticks(self._segment.end_s, tick(demuxer.stream))) + 1
            index = read_index(demuxer, held, end)
            plan = make_plan(index, self._segment, everything)
            if held.complete:
                yield from self._sample(demuxer, index, plan, held.packets)
                return
        with at_key_frame(self._path, self._segment, self._threads) as (demuxer, packets):
            yield from self._sample(demuxer, index, plan, packets)

    def _sample(
        self, demuxer: Demuxer, index: PacketIndex, plan: Plan, packets: Iterable[Packet[VideoStream]]
    ) -> Iterator[SampledFrame]:
        stream, render = demuxer.stream, self._renderer(Geometry.of(demuxer.container, demuxer.stream))
        exhaustive = bool(plan.send_P.all())
        wanted = plan.wanted_pts_W.tolist()
        self._missed, self.errors, self.wanted = False, 0, len(wanted)
        self._failed.clear()
        for position, pts, frame in select(self._decoded(stream, index, plan, packets), wanted, self._done):
            missing = pts != wanted[position]
            if missing and not exhaustive:
                self._missed = True
                return
            self._done = position + 1
            if frame is None or pts is None:
                continue
            if missing and not self._has_failed(wanted[position], index):
                self.wanted -= 1
            time_s = float(self._segment.time_s(pts, index.time_base))
            if time_s > self._last_s:
                sample, self._last_s = int(plan.sample_index_W[position]), time_s
                size, counts = (frame.width, frame.height), (self.errors, self.frames_decoded)
                yield SampledFrame(sample, time_s, render(frame), self.wanted, *size, *counts)

    def _has_failed(self, pts: int, index: PacketIndex) -> bool:
        """If times are derived from the order of frames, an error may concern any frame."""
        return bool(self._failed) if index.missing_pts else pts in self._failed

    def _decoded(
        self, stream: VideoStream, index: PacketIndex, plan: Plan, packets: Iterable[Packet[VideoStream]]
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Yields frames of the segment in the order of the decoder, each with its repaired time in ticks."""
        context, first = stream.codec_context, self._segment.seek_pts
        ordered_pts = iter(index.shown_pts().tolist()) if index.missing_pts else None
        for packet in self._sent(context, index, plan, packets):
            for frame in self._decode(context, packet):
                pts = frame.pts if ordered_pts is None else next(ordered_pts, None)
                # Frames shown before the segment's key frame may lack their reference frames.
                if pts is not None and pts >= first:
                    self.errors += frame.is_corrupt
                    yield pts, frame

    def _sent(
        self, context: VideoCodecContext, index: PacketIndex, plan: Plan, packets: Iterable[Packet[VideoStream]]
    ) -> Iterator[Packet[VideoStream] | None]:
        """Yields packets for the decoder with their repaired times; None to flush it."""
        send, flush_before = plan.send_P.tolist(), plan.flush_before_P.tolist()
        pts_offset = index.pts_offset_P.tolist() if index.discontinuities else None
        end = len(send) - send[::-1].index(True) if True in send else 0
        for number, packet in enumerate(islice(packets, end)):
            self._progress(0)
            if not send[number]:
                continue
            if flush_before[number]:
                yield None
                context.flush_buffers()
            if pts_offset and pts_offset[number] and packet.pts is not None:
                packet.pts += pts_offset[number]
            self.frames_decoded += 1
            yield packet
        yield None

    def _decode(self, context: VideoCodecContext, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            frames = context.decode(packet)
        except (av.EOFError, av.BlockingIOError):
            return []
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            self.error = reason(error)
            pts = packet.pts if packet else None
            if pts is None or pts >= self._segment.seek_pts:
                self._failed.add(pts)
                self.errors += 1
            return []
        self._progress(sum(frame.width * frame.height for frame in frames))
        return frames
