"""HDR and BT.2020 against the standards' formulas, in float64 and pixel by pixel."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.hdr_video import BT709, HLG, PQ, code_values, write_hdr_video
from workers.media.colour import BT2020, to_bt709
from workers.media.geometry import Geometry
from workers.media.render import Renderer

COLOURS = np.array(
    [
        [0, 0, 0],
        [40, 40, 40],
        [128, 128, 128],
        [180, 30, 40],
        [20, 150, 40],
        [30, 40, 170],
        [160, 150, 20],
        [90, 60, 50],
    ],
    np.uint8,
)


def shown(rgb: np.ndarray, transfer: int) -> np.ndarray:
    """Colours coded as BT.2020 with this transfer, shown in BT.709 again."""
    codes = (code_values(rgb[None], transfer) * 65535 + 0.5).astype(np.uint16)
    return to_bt709(codes, transfer, BT2020)[0]


@pytest.mark.parametrize("transfer", [PQ, HLG, BT709])
def test_colours_darker_than_the_knee_come_back(transfer):
    rng = np.random.default_rng(0)
    colours = np.concatenate([COLOURS, rng.integers(0, 181, (500, 3), np.uint8)])  # 180: 88 cd/m2
    assert np.abs(shown(colours, transfer).astype(int) - colours).max() <= 2


def test_bt2020_alone_is_not_darkened():
    white = np.array([[255, 255, 255], [250, 200, 150]], np.uint8)
    assert np.abs(shown(white, BT709).astype(int) - white).max() <= 1


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_brighter_ones_stay_in_order_and_white_is_nearly_white(transfer):
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    found = shown(greys, transfer).astype(int)
    assert (np.diff(found[:, 0]) >= 0).all()
    assert 220 <= found[255, 0] <= 240  # 203 cd/m2 leave room for what is brighter


def test_pq_by_the_table_of_bt2408():
    """Code values of 10 bits for grey: black, 18% grey of 26 cd/m2, white of 203 and of 1,000 cd/m2 and more."""
    codes = np.array([0, 0.38, 0.58, 0.7518, 1.0])
    found = to_bt709((codes[:, None].repeat(3, 1)[None] * 65535).astype(np.uint16), PQ, BT2020)[0, :, 0]
    assert found.tolist() == pytest.approx([0, 255 * (26 / 203) ** (1 / 2.4), 230, 255, 255], abs=4)


def test_hlg_by_the_table_of_bt2408():
    """The signal of 75% is 203 cd/m2 on a screen of 1,000."""
    codes = np.full((1, 1, 3), round(0.75 * 65535), np.uint16)
    pq = np.full((1, 1, 3), round(0.5807 * 65535), np.uint16)
    assert to_bt709(codes, HLG, BT2020)[0, 0].tolist() == pytest.approx(to_bt709(pq, PQ, BT2020)[0, 0].tolist(), abs=1)


def test_colours_beyond_the_gamut_are_cut_off():
    red = np.array([[[65535, 0, 0]]], np.uint16)
    assert to_bt709(red, BT709, BT2020)[0, 0].tolist() == [255, 0, 0]


def test_hdr_of_an_unknown_gamut_is_bt2020():
    codes = np.random.default_rng(0).integers(0, 65536, (4, 4, 3), np.uint16)
    assert np.array_equal(to_bt709(codes, PQ, 2), to_bt709(codes, PQ, BT2020))
    assert not np.array_equal(to_bt709(codes, PQ, 1), to_bt709(codes, PQ, BT2020))


def cards() -> np.ndarray:
    """A card per colour."""
    return np.repeat(np.repeat(COLOURS.reshape(2, 4, 3), 48, 0), 48, 1)


def render(path: Path, **options) -> np.ndarray:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return Renderer(384, Geometry.of(container, stream), **options)(next(container.decode(stream)))


@pytest.mark.parametrize("transfer", [PQ, HLG, BT709])
def test_a_coded_video_looks_as_it_did(tmp_path, transfer):
    path = write_hdr_video(tmp_path / "v.mp4", [cards()] * 3, transfer)
    inner = np.abs(render(path).astype(int) - cards()).reshape(2, 48, 4, 48, 3)[:, 12:36, :, 12:36]
    assert inner.max() <= 8
    assert np.abs(render(path, convert=False).astype(int) - cards()).mean() > 4
