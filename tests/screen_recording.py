"""AVI files of the TechSmith codec, whose packets may say that nothing changed: such a packet gives no frame."""

import struct
import zlib
from pathlib import Path

import numpy as np

from tests.numbered_video import draw

RATE = 10


def write_screen_recording(path: Path, changes: list[bool]) -> Path:
    """Ten packets per second; packet i shows the number i where it changes the screen."""
    packets = [_packet(draw(number)) if change else b"unchanged" for number, change in enumerate(changes)]
    height, width = draw(0).shape[:2]
    header = struct.pack("<14I", 1_000_000 // RATE, 0, 0, 0x10, len(packets), 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = b"vidstscc" + struct.pack("<10I4H", 0, 0, 0, 1, RATE, 0, len(packets), 0, 0, 0, 0, 0, width, height)
    bitmap = struct.pack("<IiiHH4s5I", 40, width, height, 1, 24, b"tscc", 0, 0, 0, 0, 0)
    lists = _list(b"hdrl", _chunk(b"avih", header) + _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", bitmap)))
    lists += _list(b"movi", b"".join(_chunk(b"00dc", packet) for packet in packets))
    path.write_bytes(_chunk(b"RIFF", b"AVI " + lists))
    return path


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)


def _packet(rgb: np.ndarray) -> bytes:
    """Runs of equal pixels, the lowest row first, compressed."""
    rows = b""
    for row in rgb[::-1, :, ::-1]:
        starts = np.flatnonzero(np.r_[True, (row[1:] != row[:-1]).any(1)])
        runs = np.diff([*starts, len(row)])
        rows += b"".join(bytes([run, *row[start]]) for start, run in zip(starts, runs, strict=True)) + b"\0\0"
    return zlib.compress(rows + b"\0\1")
