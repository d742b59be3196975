"""Patch features of a video, chunk after chunk."""

import pytest
import torch

from model.towers.patches import Patches
from schemas.config import TowerConfig
from stages.distill import DistillConfig
from tests.tiny_towers import save_vit, write_frames
from workers.storage.store import Store
from workers.towers.frame_batches import frame_batches
from workers.towers.patch_encoder import PatchEncoder


@pytest.fixture
def encoder(tmp_path):
    store = Store(tmp_path)
    write_frames(store, "a", [0, 1, 2, 3, 4])
    write_frames(store, "b", [5, 6], first=5)
    tower = TowerConfig(model=save_vit(tmp_path / "tower"))
    return PatchEncoder(DistillConfig(tower=tower, batch_frames=4), store)


def test_chunks_say_where_they_are_and_run_over_the_ends_of_units(encoder):
    chunks = list(encoder(["a", "b"]))
    assert [(c.start, c.count, len(c.features)) for c in chunks] == [(0, 4, 4), (4, 3, 4)]
    assert torch.equal(chunks[1].features[2], chunks[1].features[3])
    (pixels,) = frame_batches(encoder._store, ["a", "b"], encoder.tower.fit, batch=7, threads=1)
    whole = encoder.tower.encode_patches(pixels.pixels)
    joined = torch.cat([c.joint[: c.count] for c in chunks])
    assert torch.allclose(joined, whole.joint, atol=1e-5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e5])
def test_features_that_float16_cannot_hold_are_an_error_with_the_remedy(encoder, monkeypatch, bad):
    features = torch.full((4, 16, 64), bad)
    monkeypatch.setattr(encoder.tower, "encode_patches", lambda frames: Patches(features, features, (4, 4)))
    with pytest.raises(ValueError, match="exceed float16: set precision to bf16 or fp32"):
        next(encoder(["a"]))
