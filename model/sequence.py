"""Builds one sequence of text and visual tokens per sample, and batches of sequences.

Shapes: L length of a sequence, B sequences, N frames, k keyframes, P tokens per keyframe, C width of a visual token,
M merged tokens kept, V = k * P + M + 1 visual tokens, including the newline.
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
from model.ops.dfm.temporal_clusters import merge_temporal_clusters
from model.time_prompt import TimePrompt, time_prompt
from model.tokenizer import Tokenizer

TEXT, KEYFRAME, MERGED, NEWLINE, PADDING = range(5)
IGNORED = -100  # label without a loss, the default of torch's cross_entropy


@dataclass(frozen=True, kw_only=True)
class TokenSequence:
    """One sample, ready for the language model."""

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
        """Number of tokens in the loss."""
        return int((self.labels_L[1:] != IGNORED).sum())


@dataclass(frozen=True, kw_only=True)
class TokenBatch:
    """Sequences padded on the right. The visual tokens of all sequences are concatenated in the order of the batch."""

    ids_BL: Tensor
    kinds_BL: Tensor
    labels_BL: Tensor
    keyframe_tokens: Tensor
    """[sum of k * P, C]"""
    merged_tokens: Tensor
    """[sum of M, C]"""

    @property
    def num_targets(self) -> int:
        """Number of tokens in the loss. The first position has no predecessor that could predict it, so its label does
        not count.
        """
        return int((self.labels_BL[:, 1:] != IGNORED).sum())

    def to(self, device: torch.device) -> "TokenBatch":
        """Returns the batch on another device."""
        return TokenBatch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


def visual_layout(
    num_frames: int, keyframes: np.ndarray, patches: int, max_visual_tokens: int
) -> tuple[np.ndarray, np.ndarray]:
    """Lays out visual tokens in temporal order: P tokens per keyframe, one per other frame (ViLaMP, section 2).

    Above `max_visual_tokens`, keyframes stay whole and merged tokens are subsampled evenly in time:

        frame     0  1  2  3  4  5        keyframe 2, P = 3
        kinds     M  M KKK M  M  M  newline

    Args:
        num_frames: N.
        keyframes: [k] frame positions, ascending.
        patches: P.
        max_visual_tokens: limit, including the newline at the end.

    Returns:
        kinds: [V] KEYFRAME or MERGED in temporal order, then NEWLINE.
        merged: [M] positions of the frames whose merged token is kept.

    Raises:
        ValueError: the keyframes alone exceed the limit.
    """
    room, merged = _room(num_frames, keyframes, patches, max_visual_tokens)
    if len(merged) > room:
        # The centres of `room` equal parts, in integer arithmetic: the same on every machine.
        merged = merged[(2 * np.arange(room) + 1) * len(merged) // (2 * room)]
    return _kinds(num_frames, keyframes, patches, merged), merged


def visual_layout_clustered(
    merged_tokens: Tensor, keyframes: np.ndarray, patches: int, max_visual_tokens: int
) -> tuple[np.ndarray, np.ndarray, Tensor]:
    """Lays out visual tokens like `visual_layout`, but averages similar neighbouring merged tokens to meet the limit.

    Args:
        merged_tokens: [N, C].
        keyframes: see `visual_layout`.
        patches: see `visual_layout`.
        max_visual_tokens: see `visual_layout`.

    Returns:
        kinds: [V]; a cluster takes the place of its first frame.
        merged: [M] positions of the first frames of the clusters.
        merged_tokens: [M, C], the means of the clusters.
    """
    room, merged = _room(len(merged_tokens), keyframes, patches, max_visual_tokens)
    tokens = merged_tokens[torch.from_numpy(merged)]
    if len(merged) > room:
        if room:
            clusters = merge_temporal_clusters(tokens, room)
            tokens, merged = clusters.tokens, merged[(clusters.sizes.cumsum(0) - clusters.sizes).numpy()]
        else:
            tokens, merged = tokens[:0], merged[:0]
    return _kinds(len(merged_tokens), keyframes, patches, merged), merged, tokens


def _room(num_frames: int, keyframes: np.ndarray, patches: int, max_visual_tokens: int) -> tuple[int, np.ndarray]:
    """Returns how many merged tokens fit, and the frames that have one."""
    room = max_visual_tokens - len(keyframes) * patches - 1
    if room < 0:
        needed = len(keyframes) * patches + 1
        raise ValueError(
            f"max_visual_tokens = {max_visual_tokens}: {len(keyframes)} keyframes of {patches} tokens and the newline "
            f"are {needed}; raise it to at least {needed}"
        )
    return room, np.setdiff1d(np.arange(num_frames), keyframes)


def _kinds(num_frames: int, keyframes: np.ndarray, patches: int, merged: np.ndarray) -> np.ndarray:
    tokens_of_frame = np.zeros(num_frames, dtype=np.int64)
    kind_of_frame = np.full(num_frames, MERGED)
    tokens_of_frame[merged] = 1
    tokens_of_frame[keyframes], kind_of_frame[keyframes] = patches, KEYFRAME
    return np.append(np.repeat(kind_of_frame, tokens_of_frame), NEWLINE)


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
    """Returns a sequence of one token without a target, for a rank that has no sample but must run the same steps as
    the others.
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
