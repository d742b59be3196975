"""Batches of frames with one fixed shape, decoded ahead on threads while the tower runs."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from workers.storage.jpegs import decode_jpeg
from workers.storage.store import Store

if TYPE_CHECKING:
    import torch

Fit = Callable[["torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class FrameBatch:
    """Holds consecutive frames of a video."""

    pixels: "torch.Tensor"
    """uint8 [batch, 3, h, w]; the last frame of the video is repeated to fill the batch."""
    count: int
    """Number of frames that are not repetitions."""


def frame_batches(store: Store, units: Sequence[str], fit: Fit, *, batch: int, threads: int) -> Iterator[FrameBatch]:
    """Yields batches over the frames of decode units in order.

    Args:
        store: store of the corpus.
        units: paths of decode units in temporal order.
        fit: resizes a frame, uint8 [3, H, W], to the tower's input size; called on the threads.
        batch: frames per batch, including the last one, since floating-point results depend on the shape.
        threads: number of threads that decode JPEGs. Two batches are held at a time.
    """
    import torch  # costs seconds, and a driver declares stages without running them

    jpegs = _jpegs(store, units)
    with ThreadPoolExecutor(threads) as pool:

        def submit_batch() -> list[Future[list[torch.Tensor]]]:
            taken = list(islice(jpegs, batch))
            share = max(1, -(-len(taken) // threads))
            return [pool.submit(_read, taken[start : start + share], fit) for start in range(0, len(taken), share)]

        following = submit_batch()
        while following:
            current, following = following, submit_batch()
            frames = [frame for future in current for frame in future.result()]
            yield FrameBatch(torch.stack(frames + [frames[-1]] * (batch - len(frames))), len(frames))


def _jpegs(store: Store, units: Sequence[str]) -> Iterator[bytes]:
    for unit in units:
        for table in store.row_groups(unit, ["jpeg"]):
            for jpeg in table["jpeg"]:
                yield jpeg.as_py()


def _read(jpegs: list[bytes], fit: Fit) -> "list[torch.Tensor]":
    import torch

    return [fit(torch.from_numpy(decode_jpeg(jpeg)).permute(2, 0, 1)) for jpeg in jpegs]
