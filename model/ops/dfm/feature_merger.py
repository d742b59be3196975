"""Differential feature merging, mode `released`: the trainable form used by the official code of ViLaMP.

`score = (cos(Wq t, Wiq x) - cos(Wk x_ref, Wik x)) / temperature`, `token = sum over patches of softmax(score) x`, with
learned projections and a learned temperature. It differs from the released code in one point: that code compares frame
n with video frame i where keyframe i is meant. Here the reference is the nearest keyframe strictly before n, as in the
paper. A frame without a preceding keyframe is compared with itself, as in the released code.

Shapes: N frames, M patches, H width, Q queries, T text width, K keyframes.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from model.ops.dks.keyframes import Keyframes, as_indices

FRAMES_PER_STEP = 16
"""Frames processed at once. With gradients, each step is recomputed in the backward pass, so N x M x H is stored only
once.
"""


class Norms(NamedTuple):
    """Holds the part of the scores that no query changes while the projections are frozen; each `[N, M]` float32.

    Attributes:
        query: `|Wiq x + b|`.
        key: `|Wik x + b|`.
        own: `cos(Wk x, Wik x)`, the second term for a frame without a preceding keyframe.
    """

    query: Tensor
    key: Tensor
    own: Tensor


class FeatureMerger(nn.Module):
    """Merges the patches of each frame into one token per query.

    Args:
        width: H, the width of the projected patch features.
        text_width: T, the width of the text embeddings (512 for CLIP ViT-B/32).
        temperature: initial temperature. Its logarithm is learned, so that it stays positive.
    """

    def __init__(self, width: int, *, text_width: int = 512, temperature: float = 0.01) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature = {temperature}: it must be above 0")
        self.text = nn.Linear(text_width, width)
        self.patch_to_text = nn.Linear(width, width)
        self.reference = nn.Linear(width, width)
        self.patch_to_reference = nn.Linear(width, width)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))

    def forward(
        self, x_NMH: Tensor, text_QT: Tensor, keyframes_QK: Tensor | Keyframes, *, norms: Norms | None = None
    ) -> Tensor:
        """Computes the tokens of all frames, `[Q, N, H]` in the type of x.

        Rows at keyframes are computed as well; the caller leaves them out.

        Args:
            x_NMH: projected patch features in temporal order.
            text_QT: text embeddings.
            keyframes_QK: result of `select_keyframes`, or integer frame positions in any order, padded with -1.
            norms: result of `frozen_norms` for the same features and projections. Skips the projections of all patches;
                no gradient flows through the norms.

        Raises:
            TypeError: keyframes are not integers.
            ValueError: shapes do not match, or a keyframe lies beyond the last frame.
        """
        num_frames, rows_QK = x_NMH.shape[0], as_indices(keyframes_QK, num_queries=len(text_QT))
        if x_NMH.ndim != 3 or x_NMH.shape[2] != self.text.out_features:
            raise ValueError(
                f"x {list(x_NMH.shape)}, text {list(text_QT.shape)}: expected [N, M, {self.text.out_features}] and "
                f"[Q, {self.text.in_features}]"
            )
        # Copied to the host once, so that no step of the loop synchronises with the device.
        rows_QK = rows_QK.cpu()
        if rows_QK.numel() and (last := int(rows_QK.max())) >= num_frames:
            raise ValueError(f"keyframe {last} is beyond the video's {num_frames} frames: pass the same frames to both")
        if num_frames == 0 or len(text_QT) == 0:
            return x_NMH.new_zeros(len(text_QT), num_frames, x_NMH.shape[2])
        before_QN = preceding(rows_QK, num_frames)
        steps = []
        for start in range(0, num_frames, FRAMES_PER_STEP):
            step = slice(start, min(start + FRAMES_PER_STEP, num_frames))
            # The distinct references of all queries in this step; -1 sorts first.
            frames_S, slot_Qn = before_QN[:, step].unique(return_inverse=True)
            none = int(frames_S[0] < 0)
            part = None if norms is None else Norms(*(norm[step] for norm in norms))
            x_SMH = x_NMH[frames_S[none:].to(x_NMH.device)]
            arguments = (x_NMH[step], x_SMH, (slot_Qn - none).to(x_NMH.device), none > 0, text_QT, part)
            if torch.is_grad_enabled():
                steps.append(checkpoint(self._step, *arguments, use_reentrant=False))
            else:
                steps.append(self._step(*arguments))
        return torch.cat(steps, dim=1)

    @torch.no_grad()
    def frozen_norms(self, x_NMH: Tensor) -> Norms:
        """Computes the norms that `forward` can reuse for any number of later queries."""
        parts = [self._norms(step, with_own=True) for step in x_NMH.split(FRAMES_PER_STEP)]
        return Norms(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _norms(self, x_nMH: Tensor, *, with_own: bool) -> Norms:
        key_nMH = self.patch_to_reference(x_nMH)
        own_nM = cosine(self.reference(x_nMH), key_nMH) if with_own else key_nMH.new_zeros(key_nMH.shape[:2])
        return Norms(length(self.patch_to_text(x_nMH)), length(key_nMH), own_nM)

    def _step(
        self, x_nMH: Tensor, x_SMH: Tensor, slot_Qn: Tensor, with_own: bool, text_QT: Tensor, norms: Norms | None
    ) -> Tensor:
        """Computes tokens for a slice of frames. `slot_Qn` holds, per query and frame, the row of `x_SMH` to compare
        with, or -1.
        """
        text_QH, reference_SMH = self.text(text_QT), self.reference(x_SMH)
        norms = self._norms(x_nMH, with_own=with_own) if norms is None else norms
        # cos(a, W x + b) = ((W' a) x + a b) / (|a| |W x + b|): project the few vectors a instead of all patches.
        query_QnM = _through(self.patch_to_text, unit(text_QH), "qh,nmh->qnm", x_nMH) / norms.query
        shared_SnM = _through(self.patch_to_reference, unit(reference_SMH), "smh,nmh->snm", x_nMH) / norms.key
        # The last row holds each frame's similarity to itself, so that slot -1 selects it.
        shared_SnM = torch.cat([shared_SnM, norms.own[None]])
        shared_QnM = shared_SnM[slot_Qn, torch.arange(x_nMH.shape[0], device=x_nMH.device)]
        weight_QnM = ((query_QnM - shared_QnM) * (-self.log_temperature.float()).exp()).softmax(dim=2)
        return torch.einsum("qnm,nmh->qnh", weight_QnM.to(x_nMH.dtype), x_nMH)


def preceding(keyframes_QK: Tensor, num_frames: int) -> Tensor:
    """Returns for each query and frame the nearest keyframe strictly before it, or -1: `[Q, N]` int64. No host sync."""
    last_QN = torch.full((keyframes_QK.shape[0], num_frames + 2), -1, dtype=torch.int64, device=keyframes_QK.device)
    # Keyframe s is a reference from frame s + 1 on; padding goes to an extra column that is dropped.
    place_QK = torch.where(keyframes_QK >= 0, keyframes_QK + 1, num_frames + 1)
    last_QN.scatter_(1, place_QK, keyframes_QK)
    return last_QN[:, :num_frames].cummax(dim=1).values


def length(x: Tensor) -> Tensor:
    """Returns the L2 norm along the last axis in float32, at least 1e-12."""
    norms: Tensor = torch.linalg.vector_norm(x.float(), dim=-1)
    return norms.clamp(min=1e-12)


def unit(x: Tensor) -> Tensor:
    """Returns x normalised to unit length along the last axis, in float32."""
    return x.float() / length(x)[..., None]


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Returns the cosine similarity along the last axis, in float32."""
    return (a.float() * b.float()).sum(dim=-1) / (length(a) * length(b))


def _through(layer: nn.Linear, a: Tensor, pattern: str, x_nMH: Tensor) -> Tensor:
    """Computes `a . (W x + b)` in float32 for unit rows a and all patches; half precision cannot resolve a temperature
    of 0.01.
    """
    with torch.autocast(x_nMH.device.type, enabled=False):
        dot = torch.einsum(pattern, a @ layer.weight.float(), x_nMH.float())
        bias = a @ layer.bias.float()  # [q], or [s, m]
        return dot + (bias[:, None, None] if bias.ndim == 1 else bias[:, None, :])
