"""Reads from a packet's own bytes whether decoding can start on it, whether its frame is displayed, and whether other
frames need it.

Containers repeat these facts and are often wrong about them. Syntax: ITU-T H.264 7.3.1 and 7.4.1, H.265 7.3.1.2, RFC
6386 9.1 (VP8), the VP9 bitstream specification 6.2, the AV1 bitstream specification 5.3, 5.5.1 and 5.9.2.

A packet of H.264 in MP4, with lengths of four bytes:

    00 00 00 02  09 f0          NAL unit of 2 bytes, type 09 & 31 = 9: access unit delimiter, ignored
    00 00 01 f4  65 88 84 ...   NAL unit of 500 bytes, type 65 & 31 = 5: IDR slice, so the packet starts a closed GOP

A slice of type 1 is of another frame; its bits 0x60 say whether any frame refers to it. In raw streams and MPEG-TS,
start codes (00 00 01) precede the NAL units instead of lengths.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple


class PacketFacts(NamedTuple):
    """Holds what the bytes of a packet tell."""

    random_access: bool | None = None  # whether decoding can start here; None: unknown
    starts_gop: bool = False  # whether it starts a closed GOP: nothing after it in decoding order refers to before it
    shown: bool = True  # whether its frame is displayed
    disposable: bool = False  # whether no other frame of its temporal layer, or of a lower one, is predicted from it
    layer: int = 0  # temporal layer; frames of a higher layer may be predicted from a disposable one


Reader = Callable[[memoryview], PacketFacts]

_SIZE = struct.Struct(">I").unpack_from


def reader(codec: str, extradata: bytes | None, intra_only: bool = False) -> Reader:
    """Returns the function that reads packets of a codec; for unknown codecs, it returns facts that tell nothing.

    Args:
        codec: FFmpeg's name of the codec.
        extradata: the codec's header in the container, which says how NAL units are delimited.
        intra_only: whether each frame of the codec can be decoded without others.
    """
    if intra_only:
        return lambda data: _KEY
    if codec == "h264":
        length_size = (extradata[4] & 3) + 1 if extradata and extradata[0] == 1 and len(extradata) > 4 else 0
        return lambda data: _h264(data, length_size)
    if codec == "hevc":
        length_size = (extradata[21] & 3) + 1 if extradata and extradata[0] == 1 and len(extradata) > 21 else 0
        return lambda data: _hevc(data, length_size)
    return {"vp8": _vp8, "vp9": _vp9, "av1": _av1}.get(codec, lambda data: PacketFacts())


def _nal_units(data: memoryview, length_size: int, header: int = 1) -> Iterator[int]:
    """Yields the offsets of NAL units with a complete header; they follow start codes if `length_size` is 0."""
    end = len(data)
    if length_size == 4:
        position = 4
        while position + header <= end:
            yield position
            position += 4 + (_SIZE(data, position - 4)[0] or 1)
    elif length_size:
        position = length_size
        while position + header <= end:
            yield position
            size = int.from_bytes(data[position - length_size : position], "big")
            position += length_size + (size or 1)
    else:
        raw = bytes(data)
        position = raw.find(b"\0\0\1")
        while 0 <= position <= end - 3 - header:
            yield position + 3
            position = raw.find(b"\0\0\1", position + 3)


_KEY = PacketFacts(random_access=True, starts_gop=True)
_RECOVERY = PacketFacts(random_access=True)
_REFERENCED = PacketFacts(random_access=False)
_DISPOSABLE = PacketFacts(random_access=False, disposable=True)


def _h264(data: memoryview, length_size: int) -> PacketFacts:
    if length_size == 4 and len(data) > 10:  # most packets are one slice, with or without a delimiter before it
        start = 6 if data[4] == 9 and data[3] == 2 else 0
        header = data[start + 4]
        if header & 31 == 1 and header & 0x60:
            return _REFERENCED
        if header & 31 == 1 and start + 4 + _SIZE(data, start)[0] >= len(data):
            return _DISPOSABLE
    recovery = has_slice = False
    for offset in _nal_units(data, length_size):
        header = data[offset]
        kind = header & 31
        if kind == 5:
            return _KEY
        if 1 <= kind < 5:
            if recovery:
                return _RECOVERY
            if header & 0x60:
                return _REFERENCED
            has_slice = True  # continue: other frames may refer to the second field even if not to the first
        elif kind == 6:
            recovery |= _has_recovery_point(data[offset + 1 : offset + 256])
    return _DISPOSABLE if has_slice else PacketFacts()


def _has_recovery_point(sei: memoryview) -> bool:
    """Returns whether there is a recovery point message with recovery_frame_cnt 0: all later frames are correct."""
    position = 0
    while position + 2 < len(sei) and sei[position] != 0x80:
        kind, position = _sei_number(sei, position)
        size, position = _sei_number(sei, position)
        if kind == 6:
            return position < len(sei) and bool(sei[position] & 0x80)  # ue(v) of 0 is the bit 1
        position += size
    return False


def _sei_number(sei: memoryview, position: int) -> tuple[int, int]:
    value = 0
    while position < len(sei) and sei[position] == 255:
        value, position = value + 255, position + 1
    return value + (sei[position] if position < len(sei) else 0), position + 1


def _hevc(data: memoryview, length_size: int) -> PacketFacts:
    headers = [(data[offset] >> 1 & 63, data[offset + 1] & 7) for offset in _nal_units(data, length_size, header=2)]
    slices = [kind for kind, _ in headers if kind < 32]
    if not slices:
        return PacketFacts()
    return PacketFacts(
        random_access=all(16 <= kind <= 23 for kind in slices),
        starts_gop=all(kind in (19, 20) for kind in slices),  # IDR; leading frames of a CRA may refer to earlier ones
        disposable=all(kind in (0, 2, 4, 6, 8, 10, 12, 14) for kind in slices),
        layer=max(layer for kind, layer in headers if kind < 32) - 1,
    )


def _vp8(data: memoryview) -> PacketFacts:
    if len(data) < 3:
        return PacketFacts()
    key = not data[0] & 1
    return PacketFacts(key, key, bool(data[0] & 0x10))


def _vp9(data: memoryview) -> PacketFacts:
    if len(data) < 2 or data[0] >> 6 != 2:
        return PacketFacts()
    bits = int.from_bytes(data[:2], "big")
    profile = (bits >> 13 & 1) | (bits >> 12 & 1) << 1
    position = 10 if profile == 3 else 11  # of show_existing_frame, from the low end; frame_type and show_frame follow
    if bits >> position & 1:
        return PacketFacts(False)
    key = not bits >> (position - 1) & 1
    superframe = data[-1] >> 5 == 6  # holds several frames, one of them shown
    return PacketFacts(key, key, superframe or bool(bits >> (position - 2) & 1))


def _av1(data: memoryview) -> PacketFacts:
    """Reads a temporal unit, which displays one frame; its first frame decides."""
    position = 0
    while position < len(data):
        header = data[position]
        kind, position = header >> 3 & 15, position + 1 + (header >> 2 & 1)
        size = len(data) - position
        if header & 2:
            size, position = _leb128(data, position)
        if position >= len(data):
            break
        first = data[position]
        if kind == 1 and first & 8:  # a sequence header that says "reduced still picture": no other header follows
            return _KEY
        if kind in (3, 6):  # show_existing_frame, frame_type (two bits), show_frame
            if first >> 4 == 1:
                return _KEY
            # A hidden key frame, or an earlier frame, possibly that one, displayed now: the container may know.
            return PacketFacts() if first & 0x80 or not first & 0x60 else PacketFacts(False)
        position += size
    return PacketFacts()


def _leb128(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        if position >= len(data):
            break
        byte, position = data[position], position + 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
    return value, position
