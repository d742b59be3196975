"""Collects the visual tokens of one video from its patch features, in order of time.

Shapes: N frames, Q questions, K keyframes per question, U keyframes of all questions, B frames per chunk, M = h * w
patches of the tower, P tokens per keyframe, C width of a token, D width of the joint space.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch.nn import functional as F

from model.ops.hico.clip_merge import merge_clips
from workers.towers.patch_encoder import PatchChunk


@dataclass(frozen=True, kw_only=True)
class TokenLayout:
    """Gives the shapes of the tokens of a video."""

    grid: tuple[int, int]
    """Rows and columns of the tower's patches."""
    width: int
    """Width C of a token."""
    keyframe_grid: int
    """A keyframe's patches are pooled to this many rows and columns; unchanged if 0 or more than there are."""
    clip_frames: int
    """Frames per clip; 0: no clip tokens. Chunks contain whole clips."""
    clip_tokens: int
    """Tokens per clip; a clip with fewer patches keeps them all."""
    clip_heads: int
    """Heads over which the similarity of two tokens is averaged."""

    @property
    def pooled(self) -> tuple[int, int]:
        """Returns the number of rows and columns of a keyframe's tokens."""
        side = self.keyframe_grid or max(self.grid)
        return min(side, self.grid[0]), min(side, self.grid[1])


class VideoTokens:
    """Holds the tensors of one video.

    `arrays`: keyframes int32 [U] (positions, ascending), query_keyframes int32 [Q, K] (into the U axis, -1 pads),
    keyframe_tokens [U, P, C], merged_tokens [Q, N, C] (zeros at the question's own keyframes) and, with clips,
    clip_tokens [ceil(N / clip_frames), tokens, C]. Tokens are float16.

    Args:
        frames: N.
        chosen: int64 [Q, K], positions of each question's keyframes, -1 pads.
        layout: shapes of the tokens.
    """

    def __init__(self, frames: int, chosen: np.ndarray, layout: TokenLayout) -> None:
        self._layout, self._chosen = layout, chosen
        self._keyframes = np.unique(chosen[chosen >= 0]).astype(np.int32)
        rows = np.searchsorted(self._keyframes, chosen)
        pooled = layout.pooled[0] * layout.pooled[1]
        self.arrays: dict[str, np.ndarray] = {
            "keyframes": self._keyframes,
            "query_keyframes": np.where(chosen >= 0, rows, -1).astype(np.int32),
            "keyframe_tokens": np.zeros((len(self._keyframes), pooled, layout.width), np.float16),
            "merged_tokens": np.zeros((len(chosen), frames, layout.width), np.float16),
        }
        if layout.clip_frames:
            clips = -(-frames // layout.clip_frames)
            kept = min(layout.clip_tokens, layout.clip_frames * layout.grid[0] * layout.grid[1])
            self.arrays["clip_tokens"] = np.zeros((clips, kept, layout.width), np.float16)

    def watch(self, chunks: Iterator[PatchChunk]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yields (features [B, M, C], joint [B, M, D]); collects the tokens of each chunk common to all questions."""
        for chunk in chunks:
            self._put_keyframes(chunk)
            if self._layout.clip_frames:
                self._put_clips(chunk)
            yield chunk.features[: chunk.count], chunk.joint[: chunk.count]

    def put_merged(self, start: int, tokens_QnC: torch.Tensor) -> None:
        """Collects the merged tokens of the frames from position `start`, except at a question's own keyframes."""
        part = self.arrays["merged_tokens"][:, start : start + tokens_QnC.shape[1]]
        part[:] = _float16(tokens_QnC)
        question, place = np.nonzero((self._chosen >= start) & (self._chosen < start + part.shape[1]))
        part[question, self._chosen[question, place] - start] = 0

    def _put_keyframes(self, chunk: PatchChunk) -> None:
        first, end = np.searchsorted(self._keyframes, (chunk.start, chunk.start + chunk.count))
        if first < end:
            positions = torch.from_numpy(self._keyframes[first:end].astype(np.int64) - chunk.start)
            tokens = chunk.features[positions.to(chunk.features.device)]
            pooled = pool_grid(tokens, self._layout.grid, self._layout.pooled)
            self.arrays["keyframe_tokens"][first:end] = _float16(pooled)

    def _put_clips(self, chunk: PatchChunk) -> None:
        # No clip spans two chunks; the last one is filled with repetitions of the last frame.
        size, first = self._layout.clip_frames, chunk.start // self._layout.clip_frames
        count = -(-chunk.count // size)
        clips = chunk.features[: count * size].reshape(count, -1, self._layout.width)
        target = self.arrays["clip_tokens"].shape[1]
        if target < clips.shape[1]:
            clips = cast(torch.Tensor, merge_clips(clips, heads=self._layout.clip_heads, target=target))
        self.arrays["clip_tokens"][first : first + count] = _float16(clips)


def pool_grid(tokens: torch.Tensor, grid: tuple[int, int], pooled: tuple[int, int]) -> torch.Tensor:
    """Pools [n, h * w, C] to [n, P, C], bilinear as in ViLaMP's released code (27 x 27 -> 14 x 14)."""
    if pooled == grid:
        return tokens
    image = tokens.transpose(1, 2).unflatten(2, grid)
    return F.interpolate(image, size=pooled, mode="bilinear", align_corners=False).flatten(2).transpose(1, 2)


def _float16(tokens: torch.Tensor) -> np.ndarray:
    return tokens.to(torch.float16).cpu().numpy()
