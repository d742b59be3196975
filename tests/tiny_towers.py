"""Small towers with random weights, one of each architecture."""

from pathlib import Path

from benchmarks._tiny_towers import TEXT, random_frame, save_tower, write_frames, write_questions

__all__ = ["TEXT", "random_frame", "save_tower", "write_frames", "write_questions"]

VIT = {"layers": 2, "width": 64, "head_width": 32, "patch_size": 16, "image_size": 64}
SIGLIP = {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"}
RESNET = {"layers": [1, 1, 1, 1], "width": 8, "head_width": 8, "image_size": 64}


def save_vit(folder: Path, **options) -> str:
    """An open_clip ViT pooled by class token: 4 x 4 patches of 64 numbers, joint space of 48."""
    return save_tower(folder, VIT, embed_dim=48, **options)


def save_siglip(folder: Path) -> str:
    """A timm ViT pooled by attention, squashing its input like SigLIP: 10 x 10 patches, 64 numbers each way."""
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
    return save_tower(folder, SIGLIP, preprocess=preprocess, custom_text=True, init_logit_bias=-10)
