"""What a packet's own bytes say: can decoding start on it, is a picture shown, does any other picture need it.

Containers repeat these facts and are often wrong about them. Syntax: ITU-T H.264 7.3.1 and 7.4.1, H.265 7.3.1.2, RFC
6386 9.1 (VP8), the VP9 bitstream specification 6.2, the AV1 bitstream specification 5.3, 5.5.1 and 5.9.2.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple


class PacketFacts(NamedTuple):
    """None: the bytes don't say."""

    entry: bool | None = None  # decoding can start here
    clean: bool = False  # and nothing after it, in decoding order, refers to anything before it
    shown: bool = True
    disposable: bool = False  # no other picture of its temporal layer or of one below is predicted from it
    layer: int = 0  # temporal layer; pictures of a higher one may need it all the same


Reader = Callable[[memoryview], PacketFacts]

_SIZE = struct.Struct(">I").unpack_from


def reader(codec: str, extradata: bytes | None, intra_only: bool = False) -> Reader:
    """The function that reads a packet of this codec (FFmpeg's name). Of codecs not known here it says nothing.

    Args:
        intra_only: the codec knows no other pictures than those that stand for themselves.
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
    """Offsets of the NAL units with a whole header; length-prefixed, or after start codes where length_size is 0."""
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


_KEY = PacketFacts(entry=True, clean=True)
_RECOVERY = PacketFacts(entry=True)
_REFERENCED = PacketFacts(entry=False)
_DISPOSABLE = PacketFacts(entry=False, disposable=True)


def _h264(data: memoryview, length_size: int) -> PacketFacts:
    if length_size == 4 and len(data) > 4 and data[4] & 31 == 1 and data[4] & 0x60:
        return _REFERENCED  # most packets, without a generator
    recovery = pictures = False
    for offset in _nal_units(data, length_size):
        header = data[offset]
        kind = header & 31
        if kind == 1 and header & 0x60 and not recovery:  # nearly all packets
            return _REFERENCED
        if kind == 5:
            return _KEY
        if 1 <= kind < 5:
            if recovery:
                return _RECOVERY
            if header & 0x60:
                return _REFERENCED
            pictures = True  # go on: the second field may be referred to where the first is not
        elif kind == 6:
            recovery |= _has_recovery_point(data[offset + 1 : offset + 256])
    return _DISPOSABLE if pictures else PacketFacts()


def _has_recovery_point(sei: memoryview) -> bool:
    """A recovery point message with recovery_frame_cnt 0: all is right from this picture on."""
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
        entry=all(16 <= kind <= 23 for kind in slices),
        clean=all(kind in (19, 20) for kind in slices),  # IDR; a CRA's leading pictures may refer to what is before it
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
    """Of a temporal unit, which shows one picture; its first frame decides."""
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
            # A key frame that is hidden, or a frame of before, maybe that one, shown now: the container may know.
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
