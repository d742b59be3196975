"""Detects in MPEG-TS and Ogg whether parts were concatenated between two packets."""

import os
import re
from itertools import dropwhile
from pathlib import Path

import numpy as np
from av.container import InputContainer

_MOST_BYTES = 32 << 20  # maximum to search for one time step
_BEHIND = 64 << 10  # bytes before the first packet, with the last packets of other streams
_AHEAD = 4 * 204  # bytes after the start of the second packet
_TS_SIZES = (188, 192, 204)  # bytes of a packet: alone, with a preceding time stamp, with a following checksum
_SYNC, _NULL_PID = 0x47, 0x1FFF
_TS_HEADER = 6  # bytes, with the first two of the adaptation field
_OGG_PAGE = re.compile(rb"OggS\0([\0-\7])")
_OGG_BEGINS = 2  # flag of the page that begins a logical stream


def may_be_joined(container: InputContainer, start: int | None, end: int | None) -> bool:
    """Returns whether parts were or may have been concatenated between packets at two offsets in the file.

    Parts of MPEG-TS have continuity counters of their own, or a discontinuity is declared. In Ogg, each has its own
    logical stream, in which granule positions count all frames. Other formats do not tell.
    """
    formats = set(container.format.name.split(","))
    if start is None or end is None or not 0 <= end - start < _MOST_BYTES or not formats & {"mpegts", "ogg"}:
        return True
    first = max(0, start - _BEHIND)
    data = _bytes(container, first, end + _AHEAD)
    if "ogg" in formats:
        begins = (page[1][0] & _OGG_BEGINS for page in _OGG_PAGE.finditer(data))
        return any(dropwhile(bool, begins))  # the streams of the first part begin at the start of the file
    return _ts_is_joined(np.frombuffer(data, np.uint8), start - first)


def _bytes(container: InputContainer, start: int, end: int) -> bytes:
    """Reads without moving the position of a descriptor that the container reads from."""
    if (descriptor := container.options.get("fd")) is not None:
        return os.pread(int(descriptor), end - start, start)
    with Path(container.name).open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _ts_is_joined(data_N: np.ndarray, start: int) -> bool:
    """Args:
    start: a discontinuity before this byte does not count.
    """
    starts_P = _ts_packets(data_N)
    if starts_P is None:
        return True
    packets = data_N[starts_P[:, None] + np.arange(_TS_HEADER)]
    flags, counter = packets[:, 3], packets[:, 3] & 15
    pid = (packets[:, 1] & 31).astype(np.int64) << 8 | packets[:, 2]
    has_payload, has_fields = flags & 16 > 0, flags & 32 > 0
    discontinuous = has_fields & (packets[:, 4] > 0) & (packets[:, 5] & 128 > 0)
    by_pid = np.argsort(pid, kind="stable")
    step = np.diff(counter[by_pid]) & 15  # a packet may be repeated with the same counter
    breaks = (np.diff(pid[by_pid]) == 0) & (step > has_payload[by_pid][1:]) & (pid[by_pid][1:] != _NULL_PID)
    discontinuous[by_pid[1:][breaks]] = True
    return bool(discontinuous[starts_P > start].any())


def _ts_packets(data_N: np.ndarray) -> np.ndarray | None:
    """Returns the offsets of the packets; None if there are other bytes between them."""
    for size in _TS_SIZES:
        for offset in range(min(size, len(data_N))):
            if (data_N[offset::size] == _SYNC).all():
                return np.arange(offset, len(data_N) - _TS_HEADER + 1, size)
    return None
