"""A decoder's layers with fewer visual tokens the deeper they lie: progressive visual dropout of HiCo.

Source: VideoChat-Flash, arXiv 2501.00574. Before given layers visual tokens are dropped, at the first one evenly, at
the others those the text attends to least; text stays, positions are packed again. The choice is `model.ops.dropout`.

Shapes: B sequences, L length, l length after the drops, H width.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from model.ops.dropout import attention_keep, attention_scores, repack, uniform_keep


class Thinned(NamedTuple):
    """What left the last layer.

    Attributes:
        hidden: `[B, l, H]`, after the decoder's last norm.
        sources: `[B, l]` int64, the position each came from; -1 at padding.
    """

    hidden: Tensor
    sources: Tensor


class ProgressiveDropout:
    """Runs the layers of a Hugging Face decoder, without a cache.

    Args:
        decoder: of Qwen2's or Llama's form.
        drops: `(layer, ratio)` in the order of layers (from 0): before that layer, `ratio` of a sequence's original
            visual tokens are left. The published setting is (4, 0.75), (18, 0.25).

    Raises:
        ValueError: a layer that is not there or not in order, a ratio outside (0, 1], a decoder of another form.
    """

    def __init__(self, decoder: Any, drops: Sequence[tuple[int, float]]) -> None:
        self.decoder, self.ratio_of = decoder, dict(drops)
        layers = [layer for layer, _ in drops]
        if layers != sorted({*layers} & {*range(len(decoder.layers))}) or not all(0 < r <= 1 for _, r in drops):
            raise ValueError(
                f"visual_dropout = {[*drops]}: give (layer, ratio) with ascending layers below {len(decoder.layers)} "
                "and ratios in (0, 1]"
            )
        attention = decoder.layers[0].self_attn
        same = all(hasattr(attention, name) for name in ("q_proj", "k_proj")) and not hasattr(attention, "q_norm")
        if not same or getattr(decoder, "has_sliding_layers", False):
            raise ValueError(
                f"visual_dropout: {type(decoder).__name__} is not of Qwen2's or Llama's form with full attention; "
                "use such a language_model, or no visual_dropout"
            )

    def __call__(self, embeds_BLH: Tensor, visual_BL: Tensor, real_BL: Tensor, asking_BL: Tensor) -> Thinned:
        """All layers and the last norm.

        Args:
            embeds_BLH: padded on the right.
            visual_BL: bool, the tokens that may be dropped.
            real_BL: bool, what is not padding.
            asking_BL: bool, the positions whose attention decides: those just before a token that the loss counts.
        """
        original_B, hidden = visual_BL.sum(dim=1), embeds_BLH
        sources = torch.arange(hidden.shape[1], device=hidden.device).expand(hidden.shape[:2])
        rotary = self.decoder.rotary_emb(hidden, sources)
        uniform = True
        for number, layer in enumerate(self.decoder.layers):
            if number in self.ratio_of:
                visual, asking = (flag.gather(1, sources.clamp(min=0)) for flag in (visual_BL, asking_BL))
                real = real_BL.gather(1, sources.clamp(min=0)) & (sources >= 0)
                visual, asking = visual & real, asking & real
                if uniform:
                    keep = uniform_keep(visual, self.ratio_of[number], original_B=original_B)
                else:
                    scores = attention_scores(*_queries_and_keys(layer, hidden, rotary), visual, asking)
                    keep = attention_keep(scores, visual, self.ratio_of[number], original_B=original_B)
                uniform = False
                packed = repack(hidden, keep | (real & ~visual))
                hidden, sources = packed.hidden, sources.gather(1, packed.sources.clamp(min=0))
                sources = sources.masked_fill(packed.sources < 0, -1)
                rotary = self.decoder.rotary_emb(hidden, packed.positions)
            hidden = layer(hidden, attention_mask=self._mask(hidden), position_embeddings=rotary, use_cache=False)
        return Thinned(self.decoder.norm(hidden), sources)

    def _mask(self, hidden: Tensor) -> Any:
        """Causal: padding stands behind everything, so nothing sees it."""
        from transformers.masking_utils import create_causal_mask  # costs seconds to import

        return create_causal_mask(
            config=self.decoder.config, inputs_embeds=hidden, attention_mask=None, past_key_values=None
        )


def _queries_and_keys(layer: Any, hidden: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """`[B, L, heads, d]` and `[B, L, key heads, d]` as the layer's attention will have them."""
    from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

    normed, width = layer.input_layernorm(hidden), layer.self_attn.head_dim
    queries, keys = (
        project(normed).unflatten(2, (-1, width)).transpose(1, 2)
        for project in (layer.self_attn.q_proj, layer.self_attn.k_proj)
    )
    queries, keys = apply_rotary_pos_emb(queries, keys, *rotary)
    return queries.transpose(1, 2), keys.transpose(1, 2)
