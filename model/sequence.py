"""Builds one sequence of text and visual tokens per sample, and batches of sequences.

Shapes: L length of a sequence, B sequences; for those of visual tokens, see `model.visual_layout`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from model.chat import encode_chat
from model.config import Subsampling
from model.time_prompt import TimePrompt, time_prompt
from model.tokenizer import Tokenizer
from model.visual_layout import PADDING, TEXT, visual_layout, visual_layout_clustered

IGNORED = -100  # label without a loss, the default of torch's cross_entropy


@dataclass(frozen=True, kw_only=True)
class TokenSequence:
    """Holds one sample, ready for the language model."""

    ids_L: Tensor
    """int64; the padding id where `kinds_L` is not TEXT."""
    kinds_L: Tensor
    """int64; TEXT, KEYFRAME, MERGED or NEWLINE."""
    labels_L: Tensor
    """int64; the token id where the assistant speaks, IGNORED elsewhere. Not shifted."""
    keyframe_tokens: Tensor
    """[k * P, C] float16, in temporal order."""
    merged_tokens: Tensor
    """[M, C] float16, in temporal order."""
    num_cut: int = 0
    """Number of question tokens that were removed."""

    @property
    def num_targets(self) -> int:
        """Returns the number of tokens in the loss."""
        return int((self.labels_L[1:] != IGNORED).sum())


@dataclass(frozen=True, kw_only=True)
class TokenBatch:
    """Holds sequences padded on the right.

    The visual tokens of all sequences are concatenated in the order of the batch.
    """

    ids_BL: Tensor
    kinds_BL: Tensor
    labels_BL: Tensor
    keyframe_tokens: Tensor
    """[sum of k * P, C]"""
    merged_tokens: Tensor
    """[sum of M, C]"""

    @property
    def num_targets(self) -> int:
        """Returns the number of tokens in the loss.

        The first position has no predecessor that could predict it, so its label does not count.
        """
        return int((self.labels_BL[:, 1:] != IGNORED).sum())

    def to(self, device: torch.device) -> "TokenBatch":
        """Returns the batch on another device."""
        return TokenBatch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


def build_sequence(
    sample: Mapping[str, Any],
    tokenizer: Tokenizer,
    *,
    max_visual_tokens: int,
    max_text_tokens: int,
    subsampling: Subsampling = "even",
    time_form: TimePrompt = "short",
) -> TokenSequence:
    """Builds the ChatML sequence of a sample, with its visual tokens and time prompt at the place of the video.

    Args:
        sample: `conversations` (LLaVA form), `time_s` [N], `keyframes` [k], `keyframe_tokens` [k, P, C],
            `merged_tokens` [N, C], whose rows at keyframes are not read; `duration_s` if it is known.
        tokenizer: see `model.tokenizer`.
        max_visual_tokens: see `visual_layout`.
        max_text_tokens: above it, questions lose their middle; answers and the time prompt stay whole.
        subsampling: how merged tokens are reduced to the limit: `even` (`visual_layout`) or `clusters`
            (`visual_layout_clustered`).
        time_form: form of the time prompt; see `model.time_prompt`.

    Raises:
        TextTooLong: the text that is never cut exceeds `max_text_tokens`.
        ValueError: the keyframes alone exceed `max_visual_tokens`, or a speaker is unknown.
    """
    keyframe_tokens = torch.as_tensor(sample["keyframe_tokens"])
    merged_tokens = torch.as_tensor(sample["merged_tokens"])
    keyframes, patches = np.asarray(sample["keyframes"]), keyframe_tokens.shape[1]
    if subsampling == "clusters":
        kinds_V, merged, merged_tokens = visual_layout_clustered(merged_tokens, keyframes, patches, max_visual_tokens)
    else:
        kinds_V, merged = visual_layout(len(merged_tokens), keyframes, patches, max_visual_tokens)
        merged_tokens = merged_tokens[torch.from_numpy(merged)]
    frames = np.sort(np.concatenate([keyframes, merged]))
    prompt = time_prompt(np.asarray(sample["time_s"]), frames, time_form, sample.get("duration_s"))
    chat = encode_chat(sample["conversations"], tokenizer, time_prompt=prompt, max_tokens=max_text_tokens)
    visual = np.zeros(len(kinds_V), dtype=np.int64)

    def around(text: np.ndarray, inserted: np.ndarray) -> Tensor:
        return torch.from_numpy(np.concatenate([text[: chat.video_at], inserted, text[chat.video_at :]]))

    return TokenSequence(
        ids_L=around(chat.ids, visual + tokenizer.pad_id),
        kinds_L=around(np.full(len(chat.ids), TEXT), kinds_V),
        labels_L=around(np.where(chat.spoken, chat.ids, IGNORED), visual + IGNORED),
        keyframe_tokens=keyframe_tokens.flatten(0, 1),
        merged_tokens=merged_tokens,
        num_cut=chat.num_cut,
    )


def empty_sequence(token_width: int, pad_id: int) -> TokenSequence:
    """Returns a sequence of one token without a target.

    It is for a rank that has no sample but must run the same steps as the others.
    """
    no_tokens = torch.zeros(0, token_width, dtype=torch.float16)
    return TokenSequence(
        ids_L=torch.tensor([pad_id]),
        kinds_L=torch.tensor([TEXT]),
        labels_L=torch.tensor([IGNORED]),
        keyframe_tokens=no_tokens,
        merged_tokens=no_tokens,
    )


def collate(sequences: Sequence[TokenSequence], pad_id: int) -> TokenBatch:
    """Pads sequences on the right. With causal attention no token sees the padding, so no mask is needed."""

    def pad(name: str, value: int) -> Tensor:
        return pad_sequence([getattr(s, name) for s in sequences], batch_first=True, padding_value=value)

    return TokenBatch(
        ids_BL=pad("ids_L", pad_id),
        kinds_BL=pad("kinds_L", PADDING),
        labels_BL=pad("labels_L", IGNORED),
        keyframe_tokens=torch.cat([s.keyframe_tokens for s in sequences]),
        merged_tokens=torch.cat([s.merged_tokens for s in sequences]),
    )
