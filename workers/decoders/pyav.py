"""Sampling by PyAV: the packets that no wanted picture needs never reach the decoder."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from schemas.rejects import Reject
from workers.decode_plan import Plan, Segment, make_plan
from workers.decoders import Picture
from workers.decoders.key_frame import at_key_frame
from workers.demuxer import tick
from workers.media_file import reason
from workers.packet_index import PacketIndex, read_index, seconds
from workers.picture import Renderer

# A segment's packets are read once and held for the decoder where they fit; else the file is read a second time.
_HELD_BYTES = 64 << 20


def decode(
    path: str | Path, segment: Segment, *, short_side: int, threads: int = 1, alive: Callable[[], None] = lambda: None
) -> Iterator[Picture]:
    """The segment's sampled pictures, in the order of time.

    Args:
        alive: called at each packet: pictures may be hours apart where a damaged one is decoded up to again.

    Where a wanted picture doesn't come out, the segment is decoded again with nothing left out; where it still
    doesn't, the last one before it is kept in its place, once and under its own time.

    Raises:
        Reject: `undecodable` where no picture comes out; as `open_media` and `video_stream`.
    """
    sampler = _Sampler(path, segment, short_side, threads, alive)
    yield from sampler.pictures(everything=False)
    if sampler.missed:
        yield from sampler.pictures(everything=True)
    if not sampler.found:
        raise Reject(
            "undecodable", f"no picture from {segment.start_s:.3f} s on: {sampler.error or 'the decoder gave none'}"
        )


class _Sampler:
    def __init__(
        self, path: str | Path, segment: Segment, short_side: int, threads: int, alive: Callable[[], None]
    ) -> None:
        self._alive = alive
        self._path, self._segment, self._short_side, self._threads = path, segment, short_side, threads
        self._done = 0  # wanted pictures that are dealt with
        self._last_pts: int | None = None  # of the picture given last
        self.found, self.missed, self.error = 0, False, ""

    def pictures(self, everything: bool) -> Iterator[Picture]:
        """Ends early, with `missed` set, where a wanted picture is missing and packets were left out."""
        with at_key_frame(self._path, self._segment, self._threads) as (demuxer, packets):
            held, stream = _Held(packets), demuxer.stream
            end = int(self._segment.ticks(self._segment.end_s, tick(stream))) + 1
            index = read_index(demuxer, held, end)
            plan = make_plan(index, self._segment, everything)
            self._ordered = index.by_order
            if held.complete:
                yield from self._sample(stream, index, plan, iter(held.packets))
                return
        with at_key_frame(self._path, self._segment, self._threads) as (demuxer, packets):
            yield from self._sample(demuxer.stream, index, plan, packets)

    def _sample(
        self, stream: VideoStream, index: PacketIndex, plan: Plan, packets: Iterable[Packet]
    ) -> Iterator[Picture]:
        render = Renderer(self._short_side, stream.sample_aspect_ratio)
        exhaustive = bool(plan.send_P.all())
        self.missed = False
        decoded = self._decoded(stream, index, plan, packets)
        for position, pts, frame in select(decoded, plan.wanted_pts_W.tolist(), self._done):
            if pts != plan.wanted_pts_W[position] and not exhaustive:
                self.missed = True
                return
            if frame is not None and pts is not None and pts != self._last_pts:
                time_s = seconds(pts - self._segment.origin(index.time_base), index.time_base)
                sample = int(plan.sample_index_W[position])
                yield Picture(sample, float(time_s), render(frame), len(plan.wanted_pts_W))
                self.found, self._last_pts = self.found + 1, pts
            self._done = position + 1

    def _decoded(
        self, stream: VideoStream, index: PacketIndex, plan: Plan, packets: Iterable[Packet]
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Frames in the order of the decoder, each with its repaired time in ticks."""
        context = stream.codec_context
        by_order = iter(index.shown_pts().tolist() if index.by_order else ())
        send, restart = plan.send_P.tolist(), plan.restart_P.tolist()
        shift = index.shift_P.tolist() if index.jumps else None
        end = len(send) - send[::-1].index(True) if True in send else 0
        for number, packet in enumerate(islice(packets, end)):
            self._alive()
            if not send[number]:
                continue
            if restart[number]:
                yield from self._stamped(context, None, by_order)
                context.flush_buffers()
            if shift and shift[number] and packet.pts is not None:
                packet.pts += shift[number]
            yield from self._stamped(context, packet, by_order)
        yield from self._stamped(context, None, by_order)

    def _stamped(
        self, context: VideoCodecContext, packet: Packet | None, by_order: Iterator[int]
    ) -> list[tuple[int, VideoFrame]]:
        try:
            frames = context.decode(packet)
        except (av.EOFError, av.BlockingIOError):
            return []
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            self.error = reason(error)
            return []
        if self._ordered:
            return [(pts, frame) for frame, pts in zip(frames, by_order, strict=False)]
        return [(frame.pts, frame) for frame in frames if frame.pts is not None]


class _Held:
    """Passes packets on and keeps them, until they are too many."""

    def __init__(self, packets: Iterable[Packet]) -> None:
        self._source, self.complete, self._bytes = packets, True, 0
        self.packets: list[Packet] = []

    def __iter__(self) -> Iterator[Packet]:
        for packet in self._source:
            self._bytes += packet.size
            if self._bytes > _HELD_BYTES:
                self.complete = False
                self.packets.clear()
            if self.complete:
                self.packets.append(packet)
            yield packet


def select(
    decoded: Iterator[tuple[int, VideoFrame]], wanted: list[int], done: int = 0
) -> Iterator[tuple[int, int | None, VideoFrame | None]]:
    """For each wanted time after the first `done`: its position, and the frame shown then with its own time.

    That is the frame of this time, or, where it is missing, the last one before it, or None.
    """
    before: tuple[int | None, VideoFrame | None] = (None, None)
    for pts, frame in decoded:
        if before[0] is not None and pts <= before[0]:
            continue  # decoders give frames in their order; a late one is damaged
        while done < len(wanted) and wanted[done] < pts:
            yield done, *before
            done += 1
        before = (pts, frame)
        if done < len(wanted) and wanted[done] == pts:
            yield done, pts, frame
            done += 1
        if done == len(wanted):
            return
    for position in range(done, len(wanted)):
        yield position, *before
