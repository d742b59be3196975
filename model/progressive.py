"""A decoder's layers with fewer visual tokens the deeper they lie: progressive visual dropout of HiCo.

Source: VideoChat-Flash, arXiv 2501.00574. Before given layers visual tokens are dropped, either evenly or those that
the text attends to least; text stays, positions are packed again. The choice is `model.ops.hico.dropout`.

Shapes: B sequences, L length, l length after the drops, H width.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from model.config import DropStage, check_stages, with_choice
from model.ops.hico.dropout import attention_keep, attention_scores, repack, uniform_keep


class Subsampled(NamedTuple):
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
        stages: in the order of layers; any sequence of choices, also none at all. The published setting is
            (4, 0.75, "uniform"), (18, 0.25, "attention").

    Raises:
        ValueError: a layer that is not there or not in order, a ratio outside (0, 1], an unknown choice, a decoder of
            another form.
    """

    def __init__(self, decoder: Any, stages: Sequence[DropStage]) -> None:
        self.decoder = decoder
        check_stages(stages, len(decoder.layers))
        self._stages = dict(with_choice(number, *stage) for number, stage in enumerate(stages))
        attention = decoder.layers[0].self_attn
        same = all(hasattr(attention, name) for name in ("q_proj", "k_proj")) and not hasattr(attention, "q_norm")
        if not same or getattr(decoder, "has_sliding_layers", False):
            raise ValueError(
                f"visual_dropout: {type(decoder).__name__} is not of Qwen2's or Llama's form with full attention; "
                "use such a language_model, or no visual_dropout"
            )

    @property
    def by_attention(self) -> bool:
        """Whether any stage chooses by attention."""
        return any(choice == "attention" for _, choice in self._stages.values())

    def __call__(self, embeds_BLH: Tensor, visual_BL: Tensor, real_BL: Tensor, query_BL: Tensor) -> Subsampled:
        """Runs all layers and the last norm.

        Args:
            embeds_BLH: padded on the right.
            visual_BL: bool, the tokens that may be dropped.
            real_BL: bool, what is not padding.
            query_BL: bool, the positions whose attention decides. What stays depends on all that they see, and every
                position before them depends on what stays. None of them may be visual.

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
