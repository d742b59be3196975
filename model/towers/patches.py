"""Patch features of a tower in the joint image-text space: dense CLIP without new weights.

The pooled embedding of a tower is a function of its tokens. The operations that the tower applies to the pooled token
are applied to each patch token, so that patches and texts can be compared (MaskCLIP, arXiv 2112.01071).

Shapes: N frames, M = h * w patches, C width of the patch tokens, D width of the joint space.
"""

from dataclasses import dataclass

import torch
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.layers.attention_pool import AttentionPoolLatent
from timm.models.vision_transformer import VisionTransformer as TimmViT
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Patches:
    """Holds patch features of N frames; patches in row-major order."""

    features: torch.Tensor
    """float32 [N, M, C], after the final norm and before the projection; the input of a language model's projector."""
    joint: torch.Tensor
    """float32 [N, M, D], L2-normalised, comparable with text embeddings of the same tower."""
    grid: tuple[int, int]
    """Rows and columns (h, w), h * w = M."""

    def __repr__(self) -> str:
        return f"Patches(features={list(self.features.shape)}, joint={list(self.joint.shape)}, grid={self.grid})"


class ClassTokenPatches:
    """Computes patch features of open_clip's own ViT, pooled by class token or mean.

    Each patch goes through `ln_post` and `proj`.
    """

    def __init__(self, visual: VisionTransformer) -> None:
        self._visual = visual
        self.grid: tuple[int, int] = tuple(visual.grid_size)
        self.width: int = visual.positional_embedding.shape[1]

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns features [N, M, C] and joint features [N, M, D] of normalised pixels [N, 3, H, W]."""
        visual = self._visual
        last = visual.forward_intermediates(pixels, indices=1, output_fmt="NLC", intermediates_only=True)
        tokens = visual.ln_post(last["image_intermediates"][0])
        return tokens, tokens if visual.proj is None else tokens @ visual.proj


class AttentionPoolPatches:
    """Computes patch features of a timm ViT with attention pooling (SigLIP).

    Each patch is pooled as if it were the only token.

    Attention over one token has the weight 1, so the pool reduces to its value path, output projection and MLP.
    """

    def __init__(self, visual: TimmModel) -> None:
        self._visual, trunk = visual, visual.trunk
        self.grid: tuple[int, int] = tuple(trunk.patch_embed.grid_size)
        self.width: int = trunk.embed_dim

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns features [N, M, C] and joint features [N, M, D] of normalised pixels [N, 3, H, W]."""
        trunk, pool = self._visual.trunk, self._visual.trunk.attn_pool
        tokens = trunk.forward_features(pixels)[:, trunk.num_prefix_tokens :]
        values = pool.kv.out_features // 2
        bias = None if pool.kv.bias is None else pool.kv.bias[values:]
        joint = pool.proj(F.linear(tokens, pool.kv.weight[values:], bias))
        if pool.mlp is not None:
            joint = joint + pool.mlp(pool.norm(joint))
        return tokens, self._visual.head(trunk.head(trunk.fc_norm(joint)))


def patch_encoder(visual: nn.Module) -> ClassTokenPatches | AttentionPoolPatches:
    """Returns the encoder of patch features for a tower's image side.

    Raises:
        ValueError: the architecture has no path from a patch to the joint space.
    """
    if isinstance(visual, VisionTransformer) and visual.attn_pool is None and visual.pool_type in ("tok", "avg"):
        return ClassTokenPatches(visual)
    if isinstance(visual, TimmModel) and _attends_once(visual.trunk):
        return AttentionPoolPatches(visual)
    raise ValueError(
        f"its image encoder ({type(visual).__name__}) has no path from a patch to the joint space. Use an open_clip "
        "ViT pooled by class token (ViT-B-32, ViT-L-14, ...) or a SigLIP tower (ViT-SO400M-14-SigLIP-384, ...)"
    )


def _attends_once(trunk: nn.Module) -> bool:
    if not isinstance(trunk, TimmViT) or trunk.pool_include_prefix:
        return False
    pool = trunk.attn_pool
    return isinstance(pool, AttentionPoolLatent) and pool.pos_embed is None and pool.latent_len == 1
