"""Image embeddings of a segment: one row per frame, with the frame's own identity."""

import numpy as np
import pytest
import torch

from model.towers.tower import Tower
from schemas.config import TowerConfig
from schemas.tables.media import EMBEDDING
from stages.embed import EmbedConfig
from tests.tiny_towers import random_frame, save_siglip, save_vit, write_frames
from workers.storage.arrow_vectors import to_matrix
from workers.storage.store import Store
from workers.towers.clip_embedder import ClipEmbedder


@pytest.fixture(scope="module", params=[save_vit, save_siglip], ids=["vit", "siglip"])
def tower(request, tmp_path_factory):
    return TowerConfig(model=request.param(tmp_path_factory.mktemp("tower")))


def embed(store, tower, batch_frames, **resources):
    config = EmbedConfig(tower=tower, batch_frames=batch_frames, resources=resources or {})
    (table,) = ClipEmbedder(config, store)({"video_id": "v", "segment_id": "v-unit", "decode_unit": "unit"})
    return table


def test_rows_carry_the_frames_identity_and_embedding(tmp_path, tower):
    store = Store(tmp_path)
    write_frames(store, "unit", [0, 1, 2, 3, 4], first=60)
    table = embed(store, tower, 2)
    assert table.schema == EMBEDDING
    assert table.select(EMBEDDING.names[:4]).equals(store.read_table("unit", EMBEDDING.names[:4]))
    expected = Tower(tower.model).embed_images(torch.stack([random_frame(seed) for seed in range(5)]))
    # JPEG lies between the two: similar, but each frame most similar to itself.
    similarity = torch.from_numpy(to_matrix(table["embedding"])) @ expected.T
    assert similarity.diagonal().min() > 0.98 and torch.equal(similarity.argmax(dim=1), torch.arange(5))


def test_bytes_depend_on_nothing_but_config_and_unit(tmp_path, tower):
    store = Store(tmp_path)
    write_frames(store, "unit", [0, 1, 2, 3, 4])
    first = embed(store, tower, 4)
    torch.manual_seed(7)
    assert embed(store, tower, 4, cpus=3).equals(first)
    assert np.allclose(to_matrix(embed(store, tower, 3)["embedding"]), to_matrix(first["embedding"]), atol=2e-3)


def test_a_segment_without_frames_gives_no_rows(tmp_path, tower):
    store = Store(tmp_path)
    write_frames(store, "unit", [])
    assert embed(store, tower, 4).equals(EMBEDDING.empty_table())
