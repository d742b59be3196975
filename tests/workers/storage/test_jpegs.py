"""No frame of a unit is given to another program, or decoded to more than its bytes may become."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from workers.shots.thumbnails import SIDE, shrink
from workers.storage.jpegs import MAX_PIXELS, decode_jpeg, open_jpeg
from workers.towers.frame_batches import _read

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


def encoded(width: int, height: int, kind: str = "JPEG") -> bytes:
    stream = BytesIO()
    Image.new("RGB", (width, height)).save(stream, kind)
    return stream.getvalue()


def announcing(width: int, height: int) -> bytes:
    """A small JPEG whose header has other sizes."""
    data = bytearray(encoded(16, 16))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(data)


OTHER = {"postscript": POSTSCRIPT, "png": encoded(4, 4, "PNG"), "empty": b""}


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER)
@pytest.mark.parametrize("use", [open_jpeg, shrink])
def test_other_formats_are_not_opened(use, data):
    with pytest.raises(OSError, match="cannot identify"):
        use(data)


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER)
def test_other_formats_are_not_decoded(data):
    with pytest.raises(ValueError, match="a frame cannot be decoded"):
        decode_jpeg(data)


def test_a_cut_frame_is_not_decoded():
    with pytest.raises(ValueError, match="a frame cannot be decoded"):
        decode_jpeg(encoded(400, 300)[:-200])


@pytest.mark.parametrize("use", [open_jpeg, shrink, decode_jpeg])
def test_more_pixels_than_a_frame_has_are_not_decoded(use):
    with pytest.raises(ValueError, match=f"9000 x 9000 pixels; {MAX_PIXELS} are allowed"):
        use(announcing(9_000, 9_000))
    with pytest.raises(ValueError, match="a frame cannot be decoded"):
        use(announcing(60_000, 60_000))


def test_a_frame_is_decoded():
    jpeg = encoded(40, 30)
    assert open_jpeg(jpeg).size == (40, 30)
    assert shrink(jpeg).shape == (SIDE, SIDE, 3)
    assert (decode_jpeg(jpeg) == np.asarray(open_jpeg(jpeg))).all()
    (frame,) = _read([jpeg], lambda frame: frame)
    assert frame.shape == (3, 30, 40)


def test_a_grey_frame_becomes_rgb():
    stream = BytesIO()
    Image.new("L", (40, 30), 100).save(stream, "JPEG")
    assert (decode_jpeg(stream.getvalue()) == 100).all() and decode_jpeg(stream.getvalue()).shape == (30, 40, 3)
