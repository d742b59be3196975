"""Connects a demuxer, its decoder and the wanted frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# A segment's packets are read once and kept for the decoder if they fit; otherwise the file is read a second time.
_HELD_BYTES = 64 << 20


class HeldPackets:
    """Passes packets on and keeps them, unless there are too many."""

    def __init__(self, packets: Iterable[Packet[VideoStream]]) -> None:
        self._source, self.complete, self._bytes = packets, True, 0
        self.packets: list[Packet[VideoStream]] = []

    def __iter__(self) -> Iterator[Packet[VideoStream]]:
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
    """Yields the position of each wanted time after the first `done`, and the frame shown then with its own time.

    That is the frame of this time, or, where it is missing, the last one before it, or None.
    """
    before: tuple[int | None, VideoFrame | None] = (None, None)
    for pts, frame in decoded:
        if before[0] is not None and pts <= before[0]:
            continue  # decoders return frames in order; a late one is damaged
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
