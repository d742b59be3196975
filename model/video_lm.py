"""The long-video language model: two projectors and a causal language model (ViLaMP, arXiv 2504.02438).

Shapes: B sequences, L length, H width of the language model, C width of a visual token, T tokens in the loss.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.config import VideoLMConfig, check_positions
from model.language_model import load_language_model
from model.progressive import ProgressiveDropout
from model.sequence import IGNORED, TokenBatch
from model.visual_layout import KEYFRAME, MERGED, NEWLINE, PADDING


class VideoLM(nn.Module):
    """Predicts text from text and visual tokens in temporal order: blocks of keyframe tokens and single merged tokens.

    Args:
        config: sizes of the model.
        token_width: C.
        vocab_size: vocabulary size of the tokenizer.
    """

    def __init__(self, config: VideoLMConfig, *, token_width: int, vocab_size: int) -> None:
        super().__init__()
        self.language_model: Any = _language_model(config, vocab_size)
        width = self.language_model.get_input_embeddings().embedding_dim
        self.keyframe_projector = _projector(token_width, width)
        self.merged_projector = _projector(token_width, width)
        self.newline = nn.Parameter(torch.randn(width) * width**-0.5)
        stages = config.visual_dropout
        self._dropout = ProgressiveDropout(self.language_model.base_model, stages) if stages else None

    def forward(self, batch: TokenBatch) -> Tensor:
        """Returns the cross entropy of the labels, summed over the batch.

        Divide it by `num_targets` of all ranks to get the mean.

        A batch without labels gives 0, with zero gradients for all parameters.
        """
        hidden_RLH, target_RL = self._read(batch, F.pad(batch.labels_BL[:, 1:], (0, 1), value=IGNORED))
        # Logits only at labels: as wide as the vocabulary, they would be the largest tensor by far.
        counted_RL = target_RL != IGNORED
        logits_TV = self.language_model.get_output_embeddings()(hidden_RLH[counted_RL])
        return F.cross_entropy(logits_TV.float(), target_RL[counted_RL], reduction="sum")

    def _read(self, batch: TokenBatch, target_BL: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the hidden states after the last layer and the target of each position.

        R rows: one per sequence, or with dropout by attention one per answer.
        """
        embeds_BLH, real_BL = self.embed(batch), batch.kinds_BL != PADDING
        if self._dropout is None:
            decoded = self.language_model.base_model(inputs_embeds=embeds_BLH, use_cache=False)
            return decoded.last_hidden_state, target_BL
        visual_BL = (batch.kinds_BL == KEYFRAME) | (batch.kinds_BL == MERGED)
        query_BL = torch.zeros_like(real_BL)
        if self._dropout.by_attention:
            rows_R, target_BL, query_BL = _one_answer_each(target_BL, real_BL)
            embeds_BLH, visual_BL, real_BL = embeds_BLH[rows_R], visual_BL[rows_R], real_BL[rows_R]
        # Never drop a visual token that has a target.
        visual_BL = visual_BL & ~query_BL & (target_BL == IGNORED)
        hidden, sources = self._dropout(embeds_BLH, visual_BL, real_BL, query_BL)
        return hidden, target_BL.gather(1, sources.clamp(min=0)).masked_fill(sources < 0, IGNORED)

    def embed(self, batch: TokenBatch) -> Tensor:
        """Returns the embeddings [B, L, H] of text and visual tokens."""
        embeds_BLH: Tensor = self.language_model.get_input_embeddings()(batch.ids_BL)
        # A projector without tokens gets zero gradients: DDP expects gradients of all parameters on all ranks.
        for kind, values in (
            (KEYFRAME, self.keyframe_projector(batch.keyframe_tokens.to(embeds_BLH.dtype))),
            (MERGED, self.merged_projector(batch.merged_tokens.to(embeds_BLH.dtype))),
            (NEWLINE, self.newline.expand(len(batch.ids_BL), -1)),
        ):
            places = (batch.kinds_BL == kind).nonzero(as_tuple=True)
            embeds_BLH = embeds_BLH.index_put(places, values.to(embeds_BLH.dtype))
        return embeds_BLH


def _one_answer_each(target_BL: Tensor, real_BL: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Repeats each sequence once per answer, so that the tokens kept for one answer do not depend on later ones.

    Args:
        target_BL: int64, the id each position predicts if it is in the loss, IGNORED elsewhere.
        real_BL: bool, false at the padding, which is on the right.

    Returns:
        rows_R: int64, index of the sequence in each row. A sequence without an answer has one row as well.
        target_RL: the targets of the row's own answer.
        query_RL: bool, the position that predicts the first token of the answer; without an answer, the last token.
    """
    is_target_BL = target_BL != IGNORED
    first_BL = is_target_BL & ~F.pad(is_target_BL[:, :-1], (1, 0))
    answer_BL = first_BL.cumsum(dim=1)
    last_BL = real_BL & ~F.pad(real_BL[:, 1:], (0, 1))
    query_BL = first_BL | (last_BL & ~is_target_BL.any(dim=1, keepdim=True))
    rows_R, place_R = query_BL.nonzero(as_tuple=True)
    is_other_RL = answer_BL[rows_R] != answer_BL[rows_R, place_R][:, None]
    query_RL = torch.zeros_like(is_other_RL).scatter_(1, place_R[:, None], True)
    return rows_R, target_BL[rows_R].masked_fill(is_other_RL, IGNORED), query_RL


def _projector(token_width: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(token_width, width), nn.GELU(), nn.Linear(width, width))


def _language_model(config: VideoLMConfig, vocab_size: int) -> Any:
    if config.language_model:
        check_positions(config)
        return load_language_model(config.language_model, vocab_size)
    from transformers import Qwen2Config, Qwen2ForCausalLM  # costs seconds to import

    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=vocab_size,
            hidden_size=config.width,
            intermediate_size=config.feedforward_width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.heads,
            max_position_embeddings=config.max_sequence_tokens,
            tie_word_embeddings=True,
        )
    )
