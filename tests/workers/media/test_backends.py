"""Every backend against the others, on the same files: the same frames, by their times and by what they show."""

from fractions import Fraction

import av
import numpy as np
import pytest

from schemas.rejects import Reject
from tests.hdr_video import BT709, HLG, PQ, write_hdr_video
from tests.numbered_video import read_number, write_video
from tests.planned_video import planned
from workers.media import frame_decoder
from workers.media.backends import SampledFrame
from workers.media.frame_decoder import sample_frames
from workers.media.probe import probe

pytestmark = pytest.mark.slow

# What decord can't do: AV1; streams of which it selects another one; times that it doesn't know are PyAV's.
REAL = [
    "short/sam2_dog.mp4",
    "short/decord_pancake_opus.mkv",
    "short/pyfeat_hevc_vfr.mov",
    "odd/pyscenedetect_vfr_drop3.mp4",
    "odd/torchcodec_nasa_vfr.mp4",
    "odd/torchcodec_non_zero_start.mp4",
    "odd/decord_rot90.mov",
    "odd/decord_rot270.mov",
]


def sample(path, backend, convert=True, **config):
    options = {"short_side": 96, "backend": backend, "convert": convert}
    return [p for plan in planned(path, **config) for p in sample_frames(path, plan, **options)]


@pytest.fixture(params=["decord", "torchcodec"])
def backend(request):
    if request.param == "torchcodec":
        try:
            import torchcodec.decoders  # noqa: F401
        except (ImportError, RuntimeError, OSError):
            pytest.skip("torchcodec or the FFmpeg libraries it needs are not installed")
    return request.param


@pytest.mark.parametrize("name", REAL)
def test_the_same_frames_on_real_files(videos, backend, name):
    ours, theirs = sample(videos / name, "pyav", segment_s=5.0), sample(videos / name, backend, segment_s=5.0)
    assert [(p.sample_index, p.time_s) for p in ours] == [(p.sample_index, p.time_s) for p in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.rgb.shape == other.rgb.shape
        assert np.abs(one.rgb.astype(int) - other.rgb).mean() < 6


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_same_numbers(tmp_path, backend, suffix):
    rng = np.random.default_rng(7)
    path = write_video(tmp_path / f"v{suffix}", np.cumsum(rng.integers(1, 9, 120)) / 60)
    ours, theirs = (sample(path, name, fps=6.0, segment_s=2.0) for name in ("pyav", backend))
    assert [p.time_s for p in ours] == [p.time_s for p in theirs]
    assert [read_number(p.rgb) for p in ours] == [read_number(p.rgb) for p in theirs]


def with_two_shapes(path):
    """Pixels of 4:3, then of 2:1, from a key frame on that is no sample's."""
    options = {"rate": 20, "b_frames": 0}
    parts = [
        write_video(path.parent / f"{number}.ts", 3 * number + np.arange(60) / 20, aspect=aspect, **options)
        for number, aspect in enumerate([Fraction(4, 3), Fraction(2)])
    ]
    with av.open(str(path), "w") as output:
        stream = None
        for part in parts:
            with av.open(str(part)) as source:
                stream = stream or output.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(source.streams.video[0]):
                    if packet.size:
                        packet.stream = stream
                        output.mux(packet)
    return path


@pytest.mark.parametrize(("suffix", "segment_s"), [(".flv", 60.0), (".flv", 2.0), (".ts", 60.0)])
def test_a_change_of_shape_in_mid_stream_is_followed(tmp_path, backend, suffix, segment_s):
    if (backend, suffix) == ("decord", ".ts"):
        pytest.skip("decord does not seek exactly in mpegts")
    path = with_two_shapes(tmp_path / f"v{suffix}")
    ours, theirs = (sample(path, name, fps=5.0, segment_s=segment_s) for name in ("pyav", backend))
    shapes = [(p.time_s, p.rgb.shape) for p in theirs]
    assert {shape for _, shape in shapes} == {(48, 256, 3), (48, 384, 3)}
    assert shapes == [(p.time_s, p.rgb.shape) for p in ours]


def interlaced(path):
    """Moving bars, of which each field shows another moment."""
    x = np.arange(192)
    fields = [
        np.tile(np.where((x + 6 * n) // 24 % 2, 255, 0)[None, :, None].astype(np.uint8), (96, 1, 3)) for n in range(80)
    ]
    options = {"x264-params": "interlaced=1:tff=1:keyint=10:bframes=0"}
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=20, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        for number in range(40):
            pixels = fields[2 * number].copy()
            pixels[1::2] = fields[2 * number + 1][1::2]
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def hdr(path, transfer):
    frames = [np.full((96, 192, 3), (90 + 3 * n, 120, 150 - 3 * n), np.uint8) for n in range(20)]
    return write_hdr_video(path, frames, transfer)


ODD = {
    "mirrored": lambda cases, folder: cases / "media/mirror_h.mp4",
    "cropped": lambda cases, folder: cases / "media/mkv_crop.mkv",
    "interlaced": lambda cases, folder: interlaced(folder / "v.mp4"),
    "PQ": lambda cases, folder: hdr(folder / "v.mp4", PQ),
    "HLG": lambda cases, folder: hdr(folder / "v.mp4", HLG),
    "BT.2020": lambda cases, folder: hdr(folder / "v.mp4", BT709),
}


@pytest.mark.parametrize("convert", [True, False])
@pytest.mark.parametrize("kind", ODD)
def test_frames_are_shown_the_same(cases, tmp_path, backend, kind, convert):
    path = ODD[kind](cases, tmp_path)
    ours, theirs = (sample(path, name, convert=convert, fps=2.0) for name in ("pyav", backend))
    assert [p.time_s for p in ours] == [p.time_s for p in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.rgb.shape == other.rgb.shape
        assert (one.source_width, one.source_height) == (other.source_width, other.source_height)
        assert np.abs(one.rgb.astype(int) - other.rgb).mean() < 6


def test_no_frame_has_a_comb(tmp_path):
    for convert in (True, False):
        for frame in sample(interlaced(tmp_path / "v.mp4"), "pyav", convert=convert, fps=2.0):
            combed = np.abs(np.diff(frame.rgb.astype(int), axis=0)).mean()
            assert (combed < 3) == convert


def test_decord_refuses_files_in_which_it_finds_other_frames(tmp_path):
    path = write_video(tmp_path / "v.ts", np.arange(60) / 30)
    with pytest.raises(Reject, match="does not seek exactly in mpegts"):
        sample(path, "decord")


def test_a_list_of_other_files_is_not_played(tmp_path, backend):
    """PyAV takes it for MPEG-TS. decord plays the list, and this corpus would hold another's frames."""
    victim, own = (write_video(tmp_path / f"{name}.ts", np.arange(60) / 30) for name in ("victim", "own"))
    path = tmp_path / "v.ts"
    path.write_bytes(f"#EXTM3U\n#EXTINF:2,\n{victim}\n#EXT-X-ENDLIST\n".encode() + own.read_bytes())
    assert probe(path).container == "mpegts"
    with pytest.raises(Reject, match="a list of other files"):
        sample(path, backend)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_file_cannot_choose_an_old_decoder(cases, monkeypatch, device):
    """PyAV decodes nothing of its second half, which decord does decode; and decord is not asked."""
    path, asked = cases / "security/forces_decord.mp4", []

    def fails(*args, **kwargs):
        raise Reject("undecodable", "no GPU")
        yield

    monkeypatch.setitem(frame_decoder.BACKENDS, "torchcodec", fails)
    monkeypatch.setitem(frame_decoder.BACKENDS, "decord", lambda *args, **kwargs: asked.append(args) or iter(()))
    *first, second = planned(path, segment_s=300.0)
    for plan in first:
        assert list(sample_frames(path, plan, short_side=96, device=device))
    with pytest.raises(Reject, match="undecodable"):
        list(sample_frames(path, second, short_side=96, device=device))
    assert not asked


def test_what_the_gpu_cannot_decode_the_others_do(tmp_path, monkeypatch):
    path, asked = write_video(tmp_path / "v.mp4", np.arange(60) / 30), []

    def fails(*args, device, **kwargs):
        asked.append(device)
        raise Reject("undecodable", "on purpose")
        yield

    monkeypatch.setitem(frame_decoder.BACKENDS, "torchcodec", fails)
    (plan,) = planned(path, fps=3.0, min_frames=1, tolerance=0.0)
    frames = list(sample_frames(path, plan, short_side=96, device="cuda"))
    assert [read_number(p.rgb) for p in frames] == [5, 15, 25, 35, 45, 55]
    assert asked == ["cuda"]


def test_what_decodes_is_kept(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.mp4", np.arange(60) / 30)

    def breaks_off(*args, **kwargs):
        yield SampledFrame(0, 0.0, np.zeros((4, 4, 3), np.uint8), 1, 4, 4)
        raise Reject("undecodable", "the rest is damaged")

    monkeypatch.setitem(frame_decoder.BACKENDS, "pyav", breaks_off)
    assert len(sample(path, "auto")) == 1
