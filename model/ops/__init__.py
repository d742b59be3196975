"""Kernels of the papers on tensors: DKS (keyframes), DFM (merging frames), HiCo (merging clips, dropout). torch only.

`docs/api.md` has an example of each; the README of a folder has its formulas.
"""

from model.ops.dfm.feature_merger import FeatureMerger
from model.ops.dfm.merge import merge_frames, merge_sweep
from model.ops.dfm.temporal_clusters import TemporalClusters, merge_temporal_clusters
from model.ops.dfm.token_carry_over import TokenCarryOver, source_frames
from model.ops.dks.keyframes import Keyframes, select_keyframes, select_keyframes_ragged
from model.ops.hico.clip_merge import Merged, merge_clips
from model.ops.hico.dropout import attention_keep, attention_scores, repack, uniform_keep

__all__ = [
    "FeatureMerger",
    "Keyframes",
    "Merged",
    "TemporalClusters",
    "TokenCarryOver",
    "attention_keep",
    "attention_scores",
    "merge_clips",
    "merge_frames",
    "merge_sweep",
    "merge_temporal_clusters",
    "repack",
    "select_keyframes",
    "select_keyframes_ragged",
    "source_frames",
    "uniform_keep",
]
