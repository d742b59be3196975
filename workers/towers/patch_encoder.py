"""Computes patch features of a video's frames in chunks, in order of time, with a tower that stays loaded.

Shapes: B frames per chunk, M patches, C width of the patch tokens, D width of the joint space.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from workers.storage.store import Store
from workers.towers.clip_embedder import TowerSettings
from workers.towers.frame_batches import frame_batches
from workers.towers.query_embedder import load_tower

FLOAT16_MAX = torch.finfo(torch.float16).max


@dataclass(frozen=True)
class PatchChunk:
    """Holds patch features of consecutive frames, on the tower's device."""

    features: torch.Tensor
    """float32 [B, M, C]; the last frame of the video is repeated to fill B."""
    joint: torch.Tensor
    """float32 [B, M, D], L2-normalised."""
    start: int
    """Position of the first frame in the video."""
    count: int
    """Number of frames that are not repetitions."""


class PatchEncoder:
    """Keeps one chunk of patch features at a time, since those of a long video are too large (10,000 frames: 34 GB).

    Args:
        config: tower, batch, and resources: a share of a GPU puts it there, JPEG is read on as many threads as cores.
        store: of the corpus.
    """

    def __init__(self, config: TowerSettings, store: Store) -> None:
        self._store, self._batch, self._name = store, config.batch_frames, config.tower
        self._threads = max(1, int(config.resources.cpus))
        self.tower = load_tower(config.tower, "cuda" if config.resources.gpus else "cpu")

    def __call__(self, units: Sequence[str]) -> Iterator[PatchChunk]:
        """Yields chunks of all frames in decode units. Raises ValueError if features exceed the range of float16."""
        start = 0
        batches = frame_batches(self._store, units, self.tower.fit, batch=self._batch, threads=self._threads)
        for batch in batches:
            patches = self.tower.encode_patches(batch.pixels)
            if not patches.features.abs().amax() <= FLOAT16_MAX:
                raise ValueError(
                    f"patch features of {self._name} are not finite or exceed float16: set precision to bf16 or fp32"
                )
            yield PatchChunk(patches.features, patches.joint, start, batch.count)
            start += batch.count
