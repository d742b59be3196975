"""Thumbnails of a video's frames: small enough to hold a long video in memory, large enough to detect cuts and copies.

JPEGs are decoded at an eighth or a quarter of their size by libjpeg's scaled transform, at a fraction of the usual
cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workers.storage.jpegs import open_jpeg
from workers.storage.store import Store

SIDE = 32
GRID = 8
"""Number of rows and columns of a layout."""
_DARK = 24  # a cell as dark as this may be part of a bar
_CHUNK = 512
_KEPT = 0.4  # bars cover no more than this of a side, from either end


@dataclass(frozen=True)
class Thumbnails:
    """Holds thumbnails of the N frames of a video in temporal order; about 3 kB per frame."""

    time_s: np.ndarray
    """float64 [N]"""
    ycc: np.ndarray
    """uint8 [N, SIDE, SIDE, 3]: luma and the two chromas (128: grey), each the mean over a cell of the frame."""

    @property
    def luma(self) -> np.ndarray:
        """Returns the brightness, uint8 [N, SIDE, SIDE]."""
        return self.ycc[..., 0]


def read_thumbnails(store: Store, decode_units: Sequence[str]) -> Thumbnails:
    """Reads the frames of decode units in order; holds the JPEGs of one row group at a time."""
    times, frames = [np.zeros(0)], [np.zeros((0, SIDE, SIDE, 3), np.uint8)]
    for unit in decode_units:
        for table in store.row_groups(unit, ["time_s", "jpeg"]):
            if table.num_rows:
                times.append(table["time_s"].to_numpy())
                frames.append(np.stack([shrink(jpeg.as_py()) for jpeg in table["jpeg"]]))
    return Thumbnails(np.concatenate(times), np.concatenate(frames))


def shrink(jpeg: bytes) -> np.ndarray:
    """Decodes a JPEG to uint8 [SIDE, SIDE, 3] in YCbCr, ignoring its aspect ratio."""
    from PIL import Image

    image = open_jpeg(jpeg)
    image.draft("YCbCr", (SIDE, SIDE))
    return np.asarray(image.convert("YCbCr").resize((SIDE, SIDE), Image.Resampling.BOX))


def layouts(luma: np.ndarray) -> np.ndarray:
    """Computes the spatial distribution of luma on a grid, without permanent black bars; uint8 [N, GRID, GRID].

    A copy with another size, shape or bars therefore has the same layouts. `luma` is uint8 [N, SIDE, SIDE].
    """
    top, bottom = _inside(luma, axis=2)
    left, right = _inside(luma, axis=1)
    rows, columns = _averaging(top, bottom), _averaging(left, right)
    grids = [np.zeros((0, GRID, GRID), np.uint8)]
    for part in chunks(luma):
        # einsum without a path, not matmul: the same bits on any number of threads.
        flat = np.einsum("nhw,kw->nhk", part.astype(np.float32), columns)
        grids.append(np.rint(np.einsum("gh,nhk->ngk", rows, flat)).astype(np.uint8))
    return np.concatenate(grids)


def _inside(luma: np.ndarray, axis: int) -> tuple[int, int]:
    """Returns the first cell between black bars and the one after the last, along the other axis."""
    if not len(luma):
        return 0, SIDE
    # An occasional subtitle or logo in a bar does not make it a part of the image.
    bright = np.concatenate([np.quantile(part, 0.9, axis=axis) for part in chunks(luma)])
    bar = np.quantile(bright, 0.9, axis=0) <= _DARK
    most = int(SIDE * _KEPT)
    start = next((i for i in range(most) if not bar[i]), 0)
    end = next((i for i in range(most) if not bar[SIDE - 1 - i]), 0)
    return start, SIDE - end


def _averaging(start: int, end: int) -> np.ndarray:
    """Returns weights, float32 [GRID, SIDE], that average the cells start..end in equal parts."""
    edges = np.linspace(start, end, GRID + 1)
    cells = np.arange(SIDE)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = np.clip(overlap, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def chunks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Splits an array into parts of bounded size, so that only one part at a time is converted to floating point."""
    for start in range(0, len(array), _CHUNK):
        yield array[start : start + _CHUNK]
