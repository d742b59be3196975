"""Patch features of a tower in the joint image-text space: dense CLIP, without a single new weight.

A tower's pooled embedding is a function of its tokens. What it does to the one token, or the mixture of tokens, that it
pools, we do to each patch token by itself, so that a patch and a text can be compared (MaskCLIP, arXiv 2112.01071).

Shapes: N frames, M = h * w patches, C width of the patch tokens, D width of the joint space.
"""

from dataclasses import dataclass

import torch
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.layers import AttentionPoolLatent
from timm.models.vision_transformer import VisionTransformer as TimmViT
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Patches:
    """Patch features of N frames; patches in reading order (row by row)."""

    features: torch.Tensor
    """float32 [N, M, C], after the last norm and before the projection: what a language model's projector is fed."""
    joint: torch.Tensor
    """float32 [N, M, D], L2-normalised, comparable with text embeddings of the same tower."""
    grid: tuple[int, int]
    """Rows and columns (h, w), h * w = M."""

    def __repr__(self) -> str:
        return f"Patches(features={list(self.features.shape)}, joint={list(self.joint.shape)}, grid={self.grid})"


class ClassTokenPatches:
    """open_clip's own ViT, pooled by class token or mean: each patch token through `ln_post` and `proj`."""

    def __init__(self, visual: VisionTransformer) -> None:
        self._visual = visual
        self.grid: tuple[int, int] = tuple(visual.grid_size)
        self.width: int = visual.positional_embedding.shape[1]

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        visual = self._visual
        last = visual.forward_intermediates(pixels, indices=1, output_fmt="NLC", intermediates_only=True)
        tokens = visual.ln_post(last["image_intermediates"][0])
        return tokens, tokens if visual.proj is None else tokens @ visual.proj


class AttentionPoolPatches:
    """A timm ViT pooled by attention (SigLIP): each patch as if the pool attended to it alone.

    Attention over one token has the weight 1, so the pool comes down to its value path, output projection and MLP.
    """

    def __init__(self, visual: TimmModel) -> None:
        self._visual, trunk = visual, visual.trunk
        self.grid: tuple[int, int] = tuple(trunk.patch_embed.grid_size)
        self.width: int = trunk.embed_dim

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        trunk, pool = self._visual.trunk, self._visual.trunk.attn_pool
        tokens = trunk.forward_features(pixels)[:, trunk.num_prefix_tokens :]
        values = pool.kv.out_features // 2
        bias = None if pool.kv.bias is None else pool.kv.bias[values:]
        joint = pool.proj(F.linear(tokens, pool.kv.weight[values:], bias))
        if pool.mlp is not None:
            joint = joint + pool.mlp(pool.norm(joint))
        return tokens, self._visual.head(trunk.head(trunk.fc_norm(joint)))


def patch_encoder(visual: nn.Module) -> ClassTokenPatches | AttentionPoolPatches:
    """The dense path of a tower's image side. Raises ValueError where its architecture has none."""
    if isinstance(visual, VisionTransformer) and visual.attn_pool is None and visual.pool_type in ("tok", "avg"):
        return ClassTokenPatches(visual)
    if isinstance(visual, TimmModel) and _attends_once(visual.trunk):
        return AttentionPoolPatches(visual)
    raise ValueError(
        f"its image side ({type(visual).__name__}) has no path from a patch to the joint space. Use an open_clip ViT "
        "pooled by class token (ViT-B-32, ViT-L-14, ...) or a SigLIP tower (ViT-SO400M-14-SigLIP-384, ...)"
    )


def _attends_once(trunk: nn.Module) -> bool:
    if not isinstance(trunk, TimmViT) or trunk.pool_include_prefix:
        return False
    pool = trunk.attn_pool
    return isinstance(pool, AttentionPoolLatent) and pool.pos_embed is None and pool.latent_len == 1
