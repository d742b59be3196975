import gc
import io
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from PIL import Image

from schemas.rejects import Reject
from workers.media.geometry import Geometry
from workers.media.render import Renderer, encode_jpeg

COLOURS = {"red": (220, 30, 30), "green": (20, 200, 40), "blue": (30, 40, 210), "grey": (128, 128, 128)}


def plain(colour, width=64, height=48, pixel_format="rgb24", **options):
    pixels = np.broadcast_to(np.array(colour, np.uint8), (height, width, 3)).copy()
    return av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=pixel_format, **options)


@pytest.mark.parametrize(("size", "aspect"), [((8192, 64), Fraction(10)), ((66_000, 16), None)])
def test_a_frame_longer_than_jpeg_allows_is_made_smaller(size, aspect):
    rgb = Renderer(384, Geometry(aspect))(plain((9, 9, 9), *size))
    assert rgb.shape[1] == 65_500
    assert encode_jpeg(rgb, 50)


def test_a_frame_is_freed_without_the_garbage_collector():
    render = Renderer(8)
    render(plain((9, 9, 9), pixel_format="yuv420p"))  # whatever is made once
    gc.collect()
    gc.disable()
    try:
        render(plain((9, 9, 9), pixel_format="yuv420p"))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_pixels_that_cannot_be_converted_are_undecodable():
    with pytest.raises(Reject, match="bgr4"):
        Renderer(384)(av.VideoFrame(64, 48, "bgr4"))


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize(
    ("size", "matrix"), [((1280, 720), Colorspace.ITU709), ((640, 480), Colorspace.ITU601)], ids=["hd", "sd"]
)
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p10le", "nv12"])
def test_colours_by_the_matrix_of_the_size_where_the_stream_is_silent(colour, size, matrix, pixel_format):
    frame = plain(colour, *size, pixel_format=pixel_format, dst_colorspace=matrix)
    frame.colorspace = 2  # unspecified
    rgb = Renderer(240)(frame)
    assert np.abs(rgb.reshape(-1, 3).mean(0) - colour).max() < 4


@pytest.mark.parametrize("matrix", [Colorspace.ITU709, Colorspace.ITU601])
def test_colours_by_the_matrix_of_the_stream(matrix):
    frame = plain(COLOURS["red"], 64, 48, "yuv420p", dst_colorspace=matrix)
    frame.colorspace = {Colorspace.ITU709: 1, Colorspace.ITU601: 6}[matrix]
    assert np.abs(Renderer(48)(frame).reshape(-1, 3).mean(0) - COLOURS["red"]).max() < 4


@pytest.mark.parametrize("short_side", [24, 48])
def test_full_range(short_side):
    rgb = Renderer(short_side)(plain((250, 250, 250), pixel_format="yuvj420p"))
    assert np.abs(rgb.astype(int) - 250).max() < 3


def test_what_a_frame_shows_stays_in_place_when_it_is_made_smaller():
    pixels = np.zeros((90, 161, 3), np.uint8)
    pixels[30:60, 70:110] = 255
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")
    rgb = Renderer(45)(frame)
    reference = np.asarray(Image.fromarray(pixels).resize((rgb.shape[1], rgb.shape[0]), Image.BICUBIC))
    assert np.abs(rgb.astype(int) - reference).mean() < 3


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((320, 180), Fraction(3, 4), (320, 240)),
        ((100, 50), None, (100, 50)),
        ((100, 50), Fraction(0), (100, 50)),
        ((100, 50), Fraction(1000, 1), (100, 50)),
    ],
)
def test_square_pixels(size, aspect, shown):
    assert Geometry(aspect).shown_size(plain((0, 0, 0), *size)) == shown


@pytest.mark.parametrize(
    ("size", "short_side", "shape"),
    [((640, 360), 90, (90, 160)), ((360, 640), 90, (160, 90)), ((37, 11), 384, (11, 37)), ((1, 1), 16, (1, 1))],
)
def test_size(size, short_side, shape):
    assert Renderer(short_side)(plain((9, 9, 9), *size)).shape == (*shape, 3)


def test_what_is_transparent_is_black():
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[...] = (200, 100, 50, 0)
    pixels[:, 16:, 3] = 255
    rgb = Renderer(32)(av.VideoFrame.from_ndarray(pixels, "rgba"))
    assert (rgb[:, :15] == 0).all()
    assert (rgb[:, 17:] == (200, 100, 50)).all()


def test_jpeg_is_the_same_each_time_and_close():
    rng = np.random.default_rng(0)
    rgb = np.asarray(Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize((96, 64), Image.BICUBIC))
    data = encode_jpeg(rgb, 90)
    assert data == encode_jpeg(rgb.copy(), 90)
    assert np.abs(np.asarray(Image.open(io.BytesIO(data))).astype(int) - rgb).mean() < 6


def woven(first, second, pixel_format):
    """A frame of two fields, of which the first has the upper lines."""
    pixels = np.array(first)
    pixels[1::2] = second[1::2]
    if pixel_format == "rgb24":
        return av.VideoFrame.from_ndarray(pixels, "rgb24")
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=pixel_format)
    # Chroma of each field by itself, as it is coded.
    fields = [av.VideoFrame.from_ndarray(np.ascontiguousarray(p[n::2]), "rgb24") for n, p in enumerate((first, second))]
    fields = [field.reformat(format=pixel_format) for field in fields]
    for number, plane in enumerate(frame.planes):
        rows = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        for n, field in enumerate(fields):
            part = field.planes[number]
            lines = np.frombuffer(part, np.uint8).reshape(-1, part.line_size)[: part.height]
            rows[n : 2 * part.height : 2, : part.line_size] = lines
        plane.update(rows.tobytes())
    return frame


@pytest.fixture(scope="module")
def interlaced():
    """A frame that says that it is: PyAV's flag comes from decoders alone."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as output:
        stream = output.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme"})
        stream.width, stream.height = 64, 64
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as decoded:
        return next(decoded.decode(video=0))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "nv12", "rgb24", "bgra"])
@pytest.mark.parametrize("height", [96, 100])
def test_of_two_fields_the_upper_is_kept(pixel_format, height, interlaced):
    x = np.arange(128)
    first = np.broadcast_to(np.stack([2 * x, 255 - x, x], -1).astype(np.uint8), (height, 128, 3))
    second = 255 - first
    frame = woven(first, second, pixel_format)
    render = Renderer(384)
    rgb = render._rendered(frame, interlaced)
    assert rgb.shape == first.shape
    assert np.abs(rgb.astype(int) - first).mean() < 4
    assert np.abs(render(frame).astype(int) - first).mean() > 40
    assert np.array_equal(Renderer(384, convert=False)._rendered(frame, interlaced), render(frame))


def test_interlaced_palettes_and_odd_heights(interlaced):
    indices, palette = np.zeros((9, 16), np.uint8), np.full((256, 4), 255, np.uint8)
    frame = av.VideoFrame.from_ndarray((indices, palette), "pal8")
    assert (Renderer(9)._rendered(frame, interlaced) == 255).all()
