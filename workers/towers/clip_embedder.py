"""Embeds the frames of a segment by a tower that stays loaded."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from schemas.config import Resources, TowerConfig
from schemas.tables import EMBEDDING
from workers.storage.arrow_vectors import to_column
from workers.storage.store import Store
from workers.towers.frame_batches import frame_batches
from workers.towers.query_embedder import load_tower


class TowerSettings(Protocol):
    """What a stage's config tells a worker that runs frames through a tower."""

    @property
    def tower(self) -> TowerConfig: ...
    @property
    def batch_frames(self) -> int: ...
    @property
    def resources(self) -> Resources: ...


class ClipEmbedder:
    """Frames of one decode unit in, a row a frame out, in the same order.

    Args:
        config: tower, batch, and resources: a share of a GPU puts it there, JPEG is read on as many threads as cores.
        store: of the corpus.
    """

    def __init__(self, config: TowerSettings, store: Store) -> None:
        self._store, self._batch = store, config.batch_frames
        self._threads = max(1, int(config.resources.cpus))
        self._tower = load_tower(config.tower, "cuda" if config.resources.gpus else "cpu")

    def __call__(self, unit: dict[str, Any]) -> Iterator[pa.Table]:
        path = unit["decode_unit"]
        frames = self._store.read_table(path, ["video_id", "segment_id", "sample_index", "time_s"])
        embeddings = [np.empty((0, self._tower.embed_dim), np.float16)]
        batches = frame_batches(self._store, [path], self._tower.fit, batch=self._batch, threads=self._threads)
        for batch in batches:
            vectors = self._tower.embed_images(batch.pixels)[: batch.count]
            embeddings.append(vectors.cpu().numpy().astype(np.float16))
        column = to_column(np.concatenate(embeddings))
        yield frames.append_column("embedding", column).select(EMBEDDING.names).cast(EMBEDDING)
