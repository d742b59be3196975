"""Embeds questions with a tower. The process keeps one loaded tower per config."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from model.towers.source import weights_digest
from schemas.config import TowerConfig

if TYPE_CHECKING:
    from model.towers.tower import Tower

# All batches of texts have this shape, so that an embedding depends only on its own text.
BATCH_TEXTS = 16


@lru_cache(maxsize=4)
def load_tower(config: TowerConfig, device: str = "cpu") -> Tower:
    """Returns the tower of a config, loaded once per process. More than one CPU thread would change the last bits."""
    # Like torch, it takes seconds to import, and a driver declares stages without running them.
    from model.towers.tower import Tower

    if device != "cpu":
        import torch

        # Read when CUDA starts: without this workspace, the order of sums in cuBLAS may differ between runs.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    return Tower(config.model, config.pretrained, device=device, precision=config.precision, threads=1)


def tower_weights(config: TowerConfig) -> str:
    """Returns what units depend on besides a tower's name: a digest of local weights, or "" for a published tag."""
    return weights_digest(config.model, config.pretrained)


class QueryEmbedder:
    """Embeds texts by the text side of a tower.

    Args:
        tower: which one; it runs on the CPU.
    """

    def __init__(self, tower: TowerConfig) -> None:
        self._tower = load_tower(tower)

    @property
    def embed_dim(self) -> int:
        """Returns D, the width of the joint space."""
        return self._tower.embed_dim

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Returns embeddings, float16 [Q, D], L2-normalised; [0, D] without texts."""
        rows = [np.empty((0, self.embed_dim), np.float16)]
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = list(texts[start : start + BATCH_TEXTS])
            padded = batch + [""] * (BATCH_TEXTS - len(batch))
            rows.append(self._tower.embed_texts(padded)[: len(batch)].cpu().numpy().astype(np.float16))
        return np.concatenate(rows)
