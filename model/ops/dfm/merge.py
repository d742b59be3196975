"""Differential feature merging (DFM) of ViLaMP (arXiv 2504.02438, section 3.3), mode `paper`, for all queries at once.

Every frame becomes one token per query: the softmax-weighted mean of its patches. A patch's weight grows with its
similarity to the query and falls with its similarity to the same patch of the nearest preceding keyframe. Since that
keyframe always lies in the past, one sweep in temporal order serves all queries, and the patches of a keyframe are held
only while some query refers to them.

The method has no parameters: patches and queries lie in the joint image-text space of one open_clip tower (patch tokens
go through the tower's own final norm and projection). The averaged features are the patches before that projection.

Shapes: n frames per chunk, Q queries, K keyframes, M patches, C feature width, D joint width, S references held.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from model.ops import similarity
from model.ops.dfm.references import References, Schedule
from model.ops.dks.keyframes import Keyframes, as_indices

FRAMES_PER_STEP = 16
"""Frames processed at once. Bounds the memory for any chunk size and keeps the matrix products large."""


def merge_sweep(
    chunks: Iterable[tuple[Tensor, Tensor]],
    queries_QD: Tensor,
    keyframes_QK: Tensor | Keyframes,
    *,
    alpha: float = 0.01,
    lam: float = 1.0,
) -> Iterator[Tensor]:
    """Merges each frame's patches into one token per query.

    `weight = softmax over patches of (cos(p_n, q) - lam * cos(p_n, p_k)) / alpha`, where k is the nearest keyframe
    strictly before n (without one, the second term is 0), and `token = sum of weight * feature`. Rows of keyframes are
    computed in the same way, relative to the keyframe before them; the caller, which keeps those frames whole, leaves
    these rows out.

    Args:
        chunks: `(features [n, M, C], joint [n, M, D])` in temporal order; n may vary, and both may be the same tensor.
            Frames are numbered from 0. Patches of keyframes are copied, so a chunk may be overwritten after its turn.
        queries_QD: text embeddings in the joint space; they need not be normalised.
        keyframes_QK: result of `select_keyframes`, or integer frame positions in any order, padded with -1.
        alpha: softmax temperature.
        lam: weight of the similarity to the keyframe.

    Yields:
        `[Q, n, C]` per chunk, in the type of the features. Scores and weights are computed in float32, since half
        precision cannot resolve alpha = 0.01.

    Raises:
        TypeError: keyframes are not integers.
        ValueError: alpha <= 0, shapes do not match, a query or patch is zero or not finite, or a keyframe lies beyond
            the last frame. Errors in chunks are raised during the sweep, all others by the call itself; an invalid
            patch is reported when the next chunk is requested, so that the GPU never waits for the host.
    """
    if not alpha > 0:
        raise ValueError(f"alpha = {alpha}: the temperature must be above 0")
    rows_QK = as_indices(keyframes_QK, num_queries=queries_QD.shape[0])
    queries_QD = similarity.normalize(queries_QD.float(), name="queries")
    return _sweep(chunks, queries_QD, Schedule(rows_QK), alpha, lam)


def merge_frames(
    features_NMC: Tensor, joint_NMD: Tensor, queries_QD: Tensor, keyframes_QK: Tensor | Keyframes, **options: float
) -> Tensor:
    """Merges the patches of a video that is held in memory; equivalent to `merge_sweep` with one chunk.

    Args:
        features_NMC: features to average.
        joint_NMD: patches in the joint image-text space.
        queries_QD: see `merge_sweep`.
        keyframes_QK: see `merge_sweep`.
        options: `alpha` and `lam` of `merge_sweep`.

    Returns:
        `[Q, N, C]` in the type of the features.

    Raises:
        TypeError: see `merge_sweep`.
        ValueError: see `merge_sweep`.
    """
    return torch.cat(list(merge_sweep([(features_NMC, joint_NMD)], queries_QD, keyframes_QK, **options)), dim=1)


def _sweep(
    chunks: Iterable[tuple[Tensor, Tensor]], queries_QD: Tensor, schedule: Schedule, alpha: float, lam: float
) -> Iterator[Tensor]:
    references = References()
    first = 0
    for features_nMC, joint_nMD in chunks:
        _check(features_nMC, joint_nMD, queries_QD)
        tokens = features_nMC.new_empty(queries_QD.shape[0], features_nMC.shape[0], features_nMC.shape[2])
        lengths_nM = torch.empty(joint_nMD.shape[:2], device=joint_nMD.device)
        for at in range(0, features_nMC.shape[0], FRAMES_PER_STEP):
            part = slice(at, at + FRAMES_PER_STEP)
            with torch.autocast(joint_nMD.device.type, enabled=False):  # autocast would use half precision
                tokens[:, part], lengths_nM[part] = _merge(
                    features_nMC[part], joint_nMD[part], first + at, queries_QD, schedule, references, alpha, lam
                )
        yield tokens
        _check_lengths(lengths_nM, first)
        first += features_nMC.shape[0]
    if schedule.last >= first:
        raise ValueError(f"keyframe {schedule.last} is beyond the video's {first} frames: pass the same frames to both")


def _merge(
    features_nMC: Tensor,
    joint_nMD: Tensor,
    first: int,
    queries_QD: Tensor,
    schedule: Schedule,
    references: References,
    alpha: float,
    lam: float,
) -> tuple[Tensor, Tensor]:
    """Returns tokens `[Q, n, C]` of the frames from `first` on, in float32, and the norms `[n, M]` of their patches."""
    joint = joint_nMD.float()
    length_nM = torch.linalg.vector_norm(joint, dim=2)
    inverse_nM = length_nM.reciprocal()
    nearest = []
    for i in range(joint.shape[0]):
        nearest.append(schedule.before(first + i))
        if first + i in schedule.keyframes:
            references.add(first + i, joint[i], inverse_nM[i])
    score_nMQ = joint @ queries_QD.T
    if references.slot_of:
        shared_nMS = _shared(joint, references)
        slot_nQ = torch.tensor([[references.slot_of.get(f, 0) for f in row] for row in nearest], device=joint.device)
        none_nQ = torch.tensor([[f < 0 for f in row] for row in nearest], device=joint.device)
        shared_nMQ = shared_nMS.gather(2, slot_nQ[:, None, :].expand(-1, joint.shape[1], -1))
        score_nMQ.sub_(shared_nMQ.masked_fill_(none_nQ[:, None, :], 0.0), alpha=lam)
    weight_nMQ = score_nMQ.mul_((inverse_nM / alpha)[..., None]).softmax(dim=1)
    tokens_nQC = weight_nMQ.mT @ features_nMC.float()
    # The next chunk starts at the following frame, so only its references are needed.
    references.keep_only(set(schedule.before(first + joint.shape[0])))
    return tokens_nQC.transpose(0, 1), length_nM


def _shared(joint_nMD: Tensor, references: References) -> Tensor:
    """Computes `p_n . p_s / |p_s|` at the same patch position, `[n, M, S]`, as one matrix product per position."""
    product_MnS = joint_nMD.transpose(0, 1) @ references.joint_SMD.permute(1, 2, 0)
    return product_MnS.transpose(0, 1).mul(references.inverse_SM.T)


def _check_lengths(length_nM: Tensor, first: int) -> None:
    bad_nM = ~((length_nM > 0) & (length_nM < float("inf")))
    if bad_nM.any():
        row, patch = bad_nM.nonzero()[0].tolist()
        found = "only zeros" if length_nM[row, patch] == 0 else "NaN or infinity"
        raise ValueError(
            f"joint: patch {patch} of frame {first + row} has {found}, so no cosine is defined. Encode it again"
        )


def _check(features_nMC: Tensor, joint_nMD: Tensor, queries_QD: Tensor) -> None:
    same = features_nMC.ndim == 3 and joint_nMD.ndim == 3 and features_nMC.shape[:2] == joint_nMD.shape[:2]
    if not same or joint_nMD.shape[2] != queries_QD.shape[1]:
        raise ValueError(
            f"features {list(features_nMC.shape)}, joint {list(joint_nMD.shape)}, queries {list(queries_QD.shape)}: "
            "expected [n, M, C], [n, M, D] and [Q, D]"
        )
