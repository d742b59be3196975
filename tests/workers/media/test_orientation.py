from itertools import product

import av
import numpy as np
import pytest

from tests.numbered_video import write_video
from workers.media.orientation import Orientation, orientation, turned
from workers.media.probe import probe
from workers.media.render import Renderer

PIXELS = np.arange(6).reshape(2, 3)
ALL = [Orientation(*ways) for ways in product([False, True], repeat=3)]
# Of ISO 14496-12: a, b, u, c, d, v, x, y, w; a column p and a row q are shown at a p + c q and b p + d q.
ONE = 1 << 16
MATRICES = {way: [0] * 9 for way in ALL}
for way in ALL:
    x, y = -ONE if way.flip_x else ONE, -ONE if way.flip_y else ONE
    MATRICES[way][3 if way.transposed else 0], MATRICES[way][1 if way.transposed else 4] = x, y


@pytest.mark.parametrize("way", ALL)
def test_mirroring_and_turning_makes_the_same(way):
    mirrored = PIXELS[:, ::-1] if way.mirrored else PIXELS
    assert np.array_equal(way.apply(PIXELS), np.rot90(mirrored, -way.clockwise // 90))
    assert np.array_equal(way.undo(way.apply(PIXELS)), PIXELS)


@pytest.mark.parametrize("way", ALL)
def test_a_matrix_puts_each_pixel_where_it_says(way):
    a, b, _, c, d, *_ = (value // ONE for value in MATRICES[way])
    shown, (height, width) = way.apply(PIXELS), PIXELS.shape
    columns = [a * p + c * q for p in range(width) for q in range(height)]
    rows = [b * p + d * q for p in range(width) for q in range(height)]
    for p, q in product(range(width), range(height)):
        assert shown[b * p + d * q - min(rows), a * p + c * q - min(columns)] == PIXELS[q, p]


def with_matrix(path, values):
    """Every track's matrix in an MP4 replaced."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    at += 40 if data[at] == 0 else 52
    data[at : at + 36] = np.array([*values[:8], 1 << 30], ">i4").tobytes()
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("way", ALL)
def test_frames_are_shown_as_their_matrix_says(tmp_path, way):
    path = write_video(tmp_path / "v.mp4", [0, 0.2])
    with av.open(str(path)) as container:
        plain = Renderer(384)(next(container.decode(video=0)))
    with av.open(str(with_matrix(path, MATRICES[way]))) as container:
        frame = next(container.decode(video=0))
    assert orientation(frame) == way
    assert np.array_equal(Renderer(384)(frame), way.apply(plain))
    facts = probe(path)
    assert ("mirrored" in facts.flags) == way.mirrored
    assert (facts.width, facts.height) == ((48, 192) if way.transposed else (192, 48))
    assert facts.rotation == way.clockwise
    if not way.mirrored:
        assert turned(frame) == way


def test_a_matrix_of_an_odd_angle_is_the_nearest(tmp_path):
    skew = [60000, 10000, 0, -10000, 60000, 0, 0, 0, 0]
    assert "mirrored" not in probe(with_matrix(write_video(tmp_path / "v.mp4", [0, 0.2]), skew)).flags


def test_the_mirrored_case(cases):
    facts = probe(cases / "media/mirror_h.mp4")
    assert (facts.rotation, facts.width, facts.height) == (0, 640, 360)
    assert "mirrored" in facts.flags
