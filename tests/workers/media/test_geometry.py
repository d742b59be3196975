from fractions import Fraction

import av
import numpy as np
import pytest

from tests.numbered_video import read_number, write_video
from workers.media.geometry import Crop, Geometry, container_crop, square_size
from workers.media.probe import probe
from workers.media.render import Renderer


def test_each_frame_has_its_own_shape(cases):
    with av.open(str(cases / "media/sar_change.ts")) as container:
        stream = container.streams.video[0]
        geometry = Geometry.of(container, stream)
        shapes = [(geometry.aspect(frame), geometry.shown_size(frame)) for frame in container.decode(stream)]
        assert shapes[:50] == [(Fraction(16, 15), (768, 576))] * 50
        assert shapes[50:] == [(Fraction(64, 45), (1024, 576))] * 50


def test_frames_of_each_shape_are_sampled(cases):
    from tests.workers.media.test_decoder_reports import sampled

    frames = [f for frames in sampled(cases / "media/sar_change.ts", short_side=144, fps=5.0) for f in frames]
    assert [f.rgb.shape[:2] for f in frames] == [(144, 192 if f.time_s < 1.94 else 256) for f in frames]
    assert {f.rgb.shape[1] for f in frames} == {192, 256}


@pytest.mark.parametrize(("suffix", "aspect"), [(".mp4", "4/3"), (".mkv", "4/3"), (".ts", "4/3"), (".ts", "1/1")])
def test_the_shape_of_pixels_in_any_container(tmp_path, suffix, aspect):
    path = tmp_path / f"v{suffix}"
    write_video(path, np.arange(20) / 20, aspect=Fraction(aspect), time_base=Fraction(1, 1000))
    facts = probe(path)
    assert facts.width == 192 * Fraction(aspect)
    assert ("anamorphic" in facts.flags) == (aspect == "4/3")


def test_a_frame_too_small_to_be_measured_has_the_shape_of_the_stream():
    geometry = Geometry(Fraction(4, 3), follows=True)
    assert geometry.aspect(av.VideoFrame(1, 1, "rgb24")) == Fraction(4, 3)
    assert geometry.aspect(av.VideoFrame(64, 48, "rgb24")) is None  # says nothing: square


def test_absurd_shapes_are_square():
    for aspect in (Fraction(1000), Fraction(1, 1000), Fraction(0), None):
        assert Geometry(aspect).aspect(av.VideoFrame(64, 48, "rgb24")) is None


@pytest.mark.parametrize("aspect", [None, Fraction(16, 15), Fraction(3, 4)])
def test_square_pixels_keep_the_longer_side(aspect):
    width, height = square_size(720, 576, aspect)
    assert Fraction(width, height) / Fraction(720, 576) == pytest.approx(aspect or 1, rel=1e-2)
    assert width >= 720 and height >= 576


def test_the_crop_of_the_container_is_done(cases):
    path = cases / "media/mkv_crop.mkv"
    facts = probe(path)
    assert (facts.width, facts.height) == (480, 270)
    assert "container_crop" in facts.flags
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        geometry, frame = Geometry.of(container, stream), next(container.decode(stream))
        assert container_crop(stream) == Crop(top=90, bottom=0, left=80, right=80)
        cropped, whole = Renderer(384, geometry)(frame), Renderer(384)(frame)
        assert np.array_equal(cropped, whole[90:, 80:-80])
        small = Renderer(96, geometry)(frame)
        assert small.shape == (96, 171, 3)


def remuxed(path, new):
    with av.open(str(path)) as source, av.open(str(new), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    return new


def test_the_clean_aperture_of_mp4_is_the_same(cases, tmp_path):
    path = remuxed(cases / "media/mkv_crop.mkv", tmp_path / "v.mp4")
    assert b"clap" in path.read_bytes()
    assert (probe(path).width, probe(path).height) == (480, 270)


def test_a_crop_that_leaves_nothing_is_none():
    frame = av.VideoFrame(64, 48, "rgb24")
    assert Geometry(None, Crop(left=32, right=32)).crop(frame) == Crop()
    assert Geometry(None, Crop(left=32, right=31)).shown_size(frame) == (1, 48)
    assert Renderer(16, Geometry(None, Crop(left=32, right=31)))(frame).shape == (48, 1, 3)


def test_no_crop_of_what_matroska_cannot_hold(tmp_path):
    path = write_video(tmp_path / "v.mov", [0, 0.2], codec="png", pixel_format="rgb24", time_base=Fraction(1, 5))
    with av.open(str(path)) as container:
        assert container_crop(container.streams.video[0]) == Crop()
        assert read_number(Renderer(48)(next(container.decode(video=0)))) == 0
