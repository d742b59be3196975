"""Runs a decoder's layers with progressive visual dropout (HiCo): fewer visual tokens in deeper layers.

Source: VideoChat-Flash, arXiv 2501.00574. Before given layers, visual tokens are dropped, either evenly or those with
the least attention from the text. Text is kept, and positions are renumbered. `model.ops.hico.dropout` selects the
tokens.

Shapes: B sequences, L length, l length after the drops, H width.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from model.config import DropStage, check_stages, with_choice
from model.ops.hico.dropout import attention_keep, attention_scores, repack, uniform_keep


class Subsampled(NamedTuple):
    """Holds the output of the last layer.

    Attributes:
        hidden: `[B, l, H]`, after the decoder's final norm.
        sources: `[B, l]` int64, original position of each; -1 at the padding.
    """

    hidden: Tensor
    sources: Tensor


class ProgressiveDropout:
    """Runs the layers of a Hugging Face decoder with visual dropout, without a cache.

    Args:
        decoder: a decoder with the structure of Qwen2 or Llama.
        stages: stages of dropout by ascending layer; may be empty. The published setting is (4, 0.75, "uniform"),
            (18, 0.25, "attention").

    Raises:
        ValueError: layers are not ascending or do not exist, a ratio is outside (0, 1], a choice is unknown, or the
            decoder has another structure.
    """

    def __init__(self, decoder: Any, stages: Sequence[DropStage]) -> None:
        self.decoder = decoder
        check_stages(stages, len(decoder.layers))
        self._stages = dict(with_choice(number, *stage) for number, stage in enumerate(stages))
        attention = decoder.layers[0].self_attn
        same = all(hasattr(attention, name) for name in ("q_proj", "k_proj")) and not hasattr(attention, "q_norm")
        if not same or getattr(decoder, "has_sliding_layers", False):
            raise ValueError(
                f"visual_dropout: {type(decoder).__name__} is no Qwen2 or Llama decoder with full attention; use such "
                "a language_model, or no visual_dropout"
            )

    @property
    def by_attention(self) -> bool:
        """Returns whether any stage chooses by attention."""
        return any(choice == "attention" for _, choice in self._stages.values())

    def __call__(self, embeds_BLH: Tensor, visual_BL: Tensor, real_BL: Tensor, query_BL: Tensor) -> Subsampled:
        """Runs all layers and the final norm.

        Args:
            embeds_BLH: embeddings, padded on the right.
            visual_BL: bool, tokens that may be dropped.
            real_BL: bool, false at the padding.
            query_BL: bool, positions whose attention selects the tokens. The selection depends on everything they see,
                and all earlier positions depend on the selection. None of them may be visual.

        Raises:
            FloatingPointError: attention scores are NaN.
        """
        original_B, hidden = visual_BL.sum(dim=1), embeds_BLH
        sources = torch.arange(hidden.shape[1], device=hidden.device).expand(hidden.shape[:2])
        rotary = self.decoder.rotary_emb(hidden, sources)
        for number, layer in enumerate(self.decoder.layers):
            if number in self._stages:
                ratio, choice = self._stages[number]
                real = real_BL.gather(1, sources.clamp(min=0)) & (sources >= 0)
                visual, query = (flag.gather(1, sources.clamp(min=0)) & real for flag in (visual_BL, query_BL))
                if choice == "uniform":
                    keep = uniform_keep(visual, ratio, original_B=original_B)
                else:
                    scores = attention_scores(*_queries_and_keys(layer, hidden, rotary), visual, query)
                    keep = attention_keep(scores, visual, ratio, original_B=original_B)
                packed = repack(hidden, keep | (real & ~visual))
                hidden, sources = packed.hidden, sources.gather(1, packed.sources.clamp(min=0))
                sources = sources.masked_fill(packed.sources < 0, -1)
                rotary = self.decoder.rotary_emb(hidden, packed.positions)
            hidden = layer(hidden, attention_mask=self._mask(hidden), position_embeddings=rotary, use_cache=False)
        return Subsampled(self.decoder.norm(hidden), sources)

    def _mask(self, hidden: Tensor) -> Any:
        """Returns the causal mask. Padding comes last, so no token sees it."""
        from transformers.masking_utils import create_causal_mask  # costs seconds to import

        return create_causal_mask(
            config=self.decoder.config, inputs_embeds=hidden, attention_mask=None, past_key_values=None
        )


def _queries_and_keys(layer: Any, hidden: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Returns queries `[B, L, heads, d]` and keys `[B, L, key heads, d]` as the attention of the layer will compute
    them.
    """
    from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

    normed, width = layer.input_layernorm(hidden), layer.self_attn.head_dim
    queries, keys = (
        project(normed).unflatten(2, (-1, width)).transpose(1, 2)
        for project in (layer.self_attn.q_proj, layer.self_attn.k_proj)
    )
    queries, keys = apply_rotary_pos_emb(queries, keys, *rotary)
    return queries.transpose(1, 2), keys.transpose(1, 2)
