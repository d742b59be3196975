"""Embeds the frames of a segment with a tower that stays loaded."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from schemas.config import Resources, TowerConfig
from schemas.tables.media import EMBEDDING
from workers.storage.arrow_vectors import to_column
from workers.storage.store import Store
from workers.towers.frame_batches import frame_batches
from workers.towers.query_embedder import load_tower


class TowerSettings(Protocol):
    """Describes the part of a stage's config that a worker with a tower needs."""

    @property
    def tower(self) -> TowerConfig:
        """Returns the tower to load."""

    @property
    def batch_frames(self) -> int:
        """Returns the number of frames per batch."""

    @property
    def resources(self) -> Resources:
        """Returns the worker's resources: a share of a GPU places the tower there, CPUs bound the decoding threads."""


class ClipEmbedder:
    """Embeds the frames of one decode unit; yields one row per frame in the same order.

    Args:
        config: tower, batch size and resources. With a share of a GPU, it runs there; JPEGs are decoded on as many
            threads as cores.
        store: store of the corpus.
    """

    def __init__(self, config: TowerSettings, store: Store) -> None:
        self._store, self._batch = store, config.batch_frames
        self._threads = max(1, int(config.resources.cpus))
        self._tower = load_tower(config.tower, "cuda" if config.resources.gpus else "cpu")

    def __call__(self, unit: dict[str, Any]) -> Iterator[pa.Table]:
        """Yields one table of EMBEDDING rows; `unit` has the path of a decode unit in `decode_unit`."""
        path = unit["decode_unit"]
        frames = self._store.read_table(path, ["video_id", "segment_id", "sample_index", "time_s"])
        embeddings = [np.empty((0, self._tower.embed_dim), np.float16)]
        batches = frame_batches(self._store, [path], self._tower.fit, batch=self._batch, threads=self._threads)
        for batch in batches:
            vectors = self._tower.embed_images(batch.pixels[: batch.count])  # no time for the repeated last frame
            embeddings.append(vectors.cpu().numpy().astype(np.float16))
        column = to_column(np.concatenate(embeddings))
        yield frames.append_column("embedding", column).select(EMBEDDING.names).cast(EMBEDDING)
