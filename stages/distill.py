"""distill: computes the visual tokens of a video: keyframe tokens, merged tokens (DFM) and clip tokens (HiCo). 1:1.

Sources: ViLaMP, arXiv 2504.02438 (keyframes keep a grid of tokens, any other frame becomes one token per question);
VideoChat-Flash, arXiv 2501.00574 (four frames become 64 tokens, independent of the question). Both are computed for all
questions in one pass over the frames of a video.

Shapes: N frames, Q questions, K keyframes per question, D width of the joint space; for those of the tokens, see
workers/towers/video_tokens.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from schemas.config import Resources, StageConfig, TowerConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from workers.storage.arrow_vectors import to_matrix
from workers.storage.store import Store
from workers.towers.query_embedder import tower_weights

if TYPE_CHECKING:
    import torch

    Chunks = Iterator[tuple[torch.Tensor, torch.Tensor]]

READS = pa.schema(
    [
        ("video_id", pa.string()),
        ("decode_units", pa.list_(pa.string())),
        ("write_qa_unit", pa.string()),
        ("select_unit", pa.string()),
    ]
)


class DistillConfig(StageConfig):
    """Sets how frames become visual tokens."""

    tower: TowerConfig = TowerConfig(model="ViT-SO400M-14-SigLIP-384", pretrained="webli")
    """The tower that computes patch features; its text encoder embeds the questions for merging."""
    batch_frames: int = Field(32, ge=1, le=1024)
    """Frames per chunk; bounds the patch features in memory. With `hico`, a multiple of `clip_frames`."""
    keyframe_grid: int = Field(14, ge=0, le=64)
    """A keyframe's patches are pooled to this many rows and columns. 0, or more than the tower has: no pooling."""
    alpha: float = Field(0.01, gt=0)
    """Temperature of the merge weights; 0.01 is best according to the paper's ablation."""
    lam: float = Field(1.0, ge=0)
    """Lambda: weight of a patch's similarity to the same patch of the preceding keyframe."""
    hico: bool = False
    """Whether to write clip tokens as well, which do not depend on the questions, as a separate member of the shards.
    For an hour of video, they are about as large as all other tokens."""
    clip_frames: int = Field(4, ge=1, le=64)
    """Frames per clip."""
    clip_tokens: int = Field(64, ge=1)
    """Tokens per clip; a clip with fewer patches keeps all of them."""
    clip_heads: int = Field(16, ge=1)
    """Number of heads over which the similarity of two tokens is averaged; must divide the tower's patch width."""
    # A tower uses one CPU thread: increase `workers` instead. The cores of a GPU worker decode JPEGs in advance.
    resources: Resources = Resources(cpus=1, gpus=0, memory_mb=6000, workers=(1, 1))

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on, with a digest of the tower's local weights."""
        return {**super().semantic(), "weights": tower_weights(self.tower)}

    @model_validator(mode="after")
    def _whole_clips(self) -> DistillConfig:
        if self.hico and self.batch_frames % self.clip_frames:
            raise ValueError(
                f"batch_frames {self.batch_frames} holds no whole number of clips: make it a multiple of clip_frames "
                f"{self.clip_frames}, or set hico to false"
            )
        return self


@dataclass(frozen=True)
class Video:
    """Holds the times, questions and keyframes of a video."""

    time_s: np.ndarray
    """float64 [N], true presentation times."""
    sample_index: np.ndarray
    """int64 [N], numbers of the samples."""
    queries: np.ndarray
    """float32 [Q, D], embeddings of the questions."""
    chosen: np.ndarray
    """int64 [Q, K], positions of each question's keyframes in the video, ascending and padded with -1."""


class Distiller:
    """Computes the visual tokens of videos.

    Args:
        config: tower and parameters of merging.
        store: store of the corpus.
    """

    def __init__(self, config: DistillConfig, store: Store) -> None:
        # Importing torch takes seconds, and a driver declares stages without running them.
        from workers.towers.patch_encoder import PatchEncoder
        from workers.towers.video_tokens import TokenLayout

        self._config, self._store = config, store
        self._encoder = PatchEncoder(config, store)
        self._layout = TokenLayout(
            grid=self._encoder.tower.grid,
            width=self._encoder.tower.patch_width,
            keyframe_grid=config.keyframe_grid,
            clip_frames=config.clip_frames if config.hico else 0,
            clip_tokens=config.clip_tokens,
            clip_heads=config.clip_heads,
        )

    def __call__(self, unit: dict[str, Any]) -> dict[str, np.ndarray]:
        """Returns time_s float64 [N], sample_index int64 [N] and the arrays of VideoTokens.

        Raises:
            Reject: `no_frames` if the video has no frames.
            ValueError: frames, questions and keyframes belong to different videos.
        """
        from workers.towers.video_tokens import VideoTokens

        video = read_video(unit, self._store)
        tokens = VideoTokens(len(video.time_s), video.chosen, self._layout)
        chunks = tokens.watch(self._encoder(unit["decode_units"]))
        start = 0
        for tokens_QnC in self._merged(chunks, video):
            tokens.put_merged(start, tokens_QnC)
            start += tokens_QnC.shape[1]
        return {"time_s": video.time_s, "sample_index": video.sample_index, **tokens.arrays}

    def _merged(self, chunks: Chunks, video: Video) -> Iterator[torch.Tensor]:
        import torch

        from model.ops.dfm.merge import merge_sweep

        device, config = self._encoder.tower.device, self._config
        if not len(video.queries):
            return (features.new_zeros(0, *features.shape[::2]) for features, _ in chunks)
        queries = torch.from_numpy(video.queries).to(device)
        keyframes = torch.from_numpy(video.chosen).to(device)
        return merge_sweep(chunks, queries, keyframes, alpha=config.alpha, lam=config.lam)


def read_video(unit: dict[str, Any], store: Store) -> Video:
    """Reads times, questions and keyframes of a unit.

    Raises:
        Reject: `no_frames`.
        ValueError: they belong to different videos.
    """
    columns = ["video_id", "sample_index", "time_s"]
    frames = pa.concat_tables(store.read_table(path, columns) for path in unit["decode_units"])
    if not frames.num_rows:
        raise Reject("no_frames", f"{len(unit['decode_units'])} segments, and not one frame in them")
    questions = store.read_table(unit["write_qa_unit"], ["video_id", "qa_id", "merge_query"])
    selected = store.read_table(unit["select_unit"], ["qa_id", "keyframes"])
    found = {*frames["video_id"].unique().to_pylist(), *questions["video_id"].unique().to_pylist()}
    if found != {unit["video_id"]} or questions["qa_id"].to_pylist() != selected["qa_id"].to_pylist():
        raise ValueError(f"video {unit['video_id']}: frames, questions and keyframes are not of one video: {found}")
    return Video(
        time_s=frames["time_s"].to_numpy(),
        sample_index=frames["sample_index"].to_numpy(),
        queries=to_matrix(questions["merge_query"]),
        chosen=_padded(selected["keyframes"].to_pylist()),
    )


def _padded(lists: list[list[int]]) -> np.ndarray:
    matrix = np.full((len(lists), max(map(len, lists), default=0)), -1, np.int64)
    for row, values in zip(matrix, lists, strict=True):
        row[: len(values)] = values
    return matrix


def stage(config: DistillConfig) -> Stage:
    """Declares the stage."""
    return Stage(
        name="distill",
        version=3,
        reads=READS,
        writes=None,
        run=Distiller,
        config=config,
        emits="unit",
        imports=("model.towers.tower",),
    )
