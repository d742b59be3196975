"""Tokens of a video: every array at its place, whatever the chunks."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model.ops.hico.clip_merge import merge_clips
from workers.towers.patch_encoder import PatchChunk
from workers.towers.video_tokens import TokenLayout, VideoTokens, pool_grid

LAYOUT = {"grid": (4, 6), "width": 8, "keyframe_grid": 3, "clip_frames": 4, "clip_tokens": 10, "clip_heads": 2}
CHOSEN = np.array([[0, 5, 9], [5, 6, -1], [-1, -1, -1]])


def chunks_of(features: torch.Tensor, size: int):
    for start in range(0, len(features), size):
        part = features[start : start + size]
        repeated = torch.cat([part, part[-1:].expand(size - len(part), -1, -1)])
        yield PatchChunk(repeated, repeated, start, len(part))


def tokens_of(features: torch.Tensor, size: int = 4, **layout) -> dict[str, np.ndarray]:
    tokens = VideoTokens(len(features), CHOSEN, TokenLayout(**{**LAYOUT, **layout}))
    for start, (seen, _) in zip(range(0, len(features), size), tokens.watch(chunks_of(features, size)), strict=True):
        assert torch.equal(seen, features[start : start + size])
        tokens.put_merged(start, seen.mean(dim=1).expand(3, -1, -1))
    return tokens.arrays


@pytest.fixture
def features():
    return torch.randn(10, 24, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [4, 8, 12])
def test_tokens_lie_where_the_arrays_say(features, size):
    arrays = tokens_of(features, size)
    assert arrays["keyframes"].tolist() == [0, 5, 6, 9]
    assert arrays["query_keyframes"].tolist() == [[0, 1, 3], [1, 2, -1], [-1, -1, -1]]
    expected = pool_grid(features[[0, 5, 6, 9]], (4, 6), (3, 3)).half().numpy()
    assert np.array_equal(arrays["keyframe_tokens"], expected)
    means = features.mean(dim=1).half().numpy()
    for question, own in enumerate([{0, 5, 9}, {5, 6}, set()]):
        for frame, token in enumerate(arrays["merged_tokens"][question]):
            assert np.array_equal(token, np.zeros(8) if frame in own else means[frame])
    filled = torch.cat([features, features[-1:], features[-1:]]).reshape(3, 96, 8)
    assert np.allclose(arrays["clip_tokens"], merge_clips(filled, heads=2, target=10), atol=2e-3)


def test_without_clips_there_are_none(features):
    assert "clip_tokens" not in tokens_of(features, clip_frames=0)


def test_a_clip_of_fewer_tokens_keeps_them_all(features):
    arrays = tokens_of(features, clip_tokens=100)
    assert arrays["clip_tokens"].shape == (3, 96, 8)
    assert np.array_equal(arrays["clip_tokens"][0], features[:4].reshape(96, 8).half())


@pytest.mark.parametrize(("side", "expected"), [(0, (4, 6)), (5, (4, 5)), (14, (4, 6)), (2, (2, 2))])
def test_the_pooled_grid_is_never_finer_than_the_tower(side, expected):
    assert TokenLayout(**{**LAYOUT, "keyframe_grid": side}).pooled == expected


def test_pooling_is_the_bilinear_of_torch_on_the_image():
    tokens = torch.randn(2, 27 * 27, 3)
    image = tokens.reshape(2, 27, 27, 3).permute(0, 3, 1, 2)
    expected = F.interpolate(image, size=(14, 14), mode="bilinear").permute(0, 2, 3, 1).reshape(2, 196, 3)
    assert torch.equal(pool_grid(tokens, (27, 27), (14, 14)), expected)


def test_pooling_keeps_rows_and_columns_apart():
    """A grid that holds its own row and column numbers, pooled to half: the mean of each two by two."""
    row, column = torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij")
    tokens = torch.stack([row.flatten(), column.flatten()], dim=-1)[None]
    pooled = pool_grid(tokens, (4, 6), (2, 3))[0]
    assert pooled.tolist() == [[r, c] for r in (0.5, 2.5) for c in (0.5, 2.5, 4.5)]
