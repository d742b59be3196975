"""Lays out the visual tokens of a video: their kinds in temporal order, and which merged tokens are kept.

Shapes: N frames, k keyframes, P tokens per keyframe, C width of a visual token, M merged tokens kept,
V = k * P + M + 1 visual tokens, including the newline.
"""

import numpy as np
import torch
from torch import Tensor

from model.ops.dfm.temporal_clusters import merge_temporal_clusters

TEXT, KEYFRAME, MERGED, NEWLINE, PADDING = range(5)
"""Kinds of the positions of a sequence."""


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
