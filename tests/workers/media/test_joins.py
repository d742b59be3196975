"""Signs of a join in the bytes of MPEG-TS, of each size of packets."""

from types import SimpleNamespace

import pytest

from workers.media.joins import may_be_joined

PAYLOAD, FIELDS = 0x10, 0x20


def packet(pid: int, counter: int, control: int = PAYLOAD, discontinuity: bool = False) -> bytes:
    fields = bytes([1, 0x80 * discontinuity]) if control & FIELDS else b""
    return (bytes([0x47, pid >> 8, pid & 255, control | counter % 16]) + fields).ljust(188, b"\xff")


def joined(path, packets, start=0, size=188, kind="mpegts"):
    before, behind = (b"\0" * 4, b"") if size == 192 else (b"", b"\0" * (size - 188))
    path.write_bytes(b"".join(before + data + behind for data in packets))
    container = SimpleNamespace(format=SimpleNamespace(name=kind), options={}, name=str(path))
    return may_be_joined(container, start * size, len(packets) * size)


GOES_ON = [packet(pid, n) for n in range(40) for pid in (256, 257)]


@pytest.mark.parametrize("size", [188, 192, 204])
def test_counters_of_each_stream_go_on_or_not(tmp_path, size):
    path = tmp_path / "v"
    assert not joined(path, GOES_ON, size=size)
    assert joined(path, [*GOES_ON, packet(256, 3)], size=size)
    assert joined(path, [*GOES_ON, packet(257, 41)], size=size)
    assert not joined(path, [*GOES_ON, packet(258, 3)], size=size)


def test_what_is_no_break(tmp_path):
    repeated, empty = packet(257, 39), packet(257, 39, FIELDS)
    nothing = [packet(0x1FFF, n) for n in (3, 1)]
    assert not joined(tmp_path / "v", [*GOES_ON, repeated, empty, *nothing, packet(257, 40)])


def test_an_empty_packet_does_not_count(tmp_path):
    assert joined(tmp_path / "v", [*GOES_ON, packet(257, 40, FIELDS)])


def test_a_discontinuity_is_declared(tmp_path):
    assert joined(tmp_path / "v", [*GOES_ON, packet(257, 40, PAYLOAD | FIELDS, discontinuity=True)])


def test_a_discontinuity_before_the_packets_does_not_count(tmp_path):
    lost = GOES_ON[:10] + GOES_ON[16:]
    assert joined(tmp_path / "v", lost)
    assert not joined(tmp_path / "v", lost, start=12)


def test_what_does_not_tell_may_be_joined(tmp_path):
    assert joined(tmp_path / "v", [*GOES_ON[:20], b"\0" * 188, *GOES_ON[20:]])
    assert joined(tmp_path / "v", GOES_ON, kind="mpeg")
    container = SimpleNamespace(format=SimpleNamespace(name="ogg"), options={}, name="")
    assert may_be_joined(container, None, 5)
    assert may_be_joined(container, 0, 1 << 40)
