"""embed: computes the CLIP embeddings of a segment's frames, once for all questions. Segment -> embeddings, 1:1."""

from typing import Any

import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig, TowerConfig
from schemas.stage import Stage
from schemas.tables.media import EMBEDDING
from workers.towers.clip_embedder import ClipEmbedder
from workers.towers.query_embedder import tower_weights

READS = pa.schema([("video_id", pa.string()), ("segment_id", pa.string()), ("decode_unit", pa.string())])


class EmbedConfig(StageConfig):
    """Sets how frames are embedded."""

    tower: TowerConfig = TowerConfig(model="ViT-B-32", pretrained="laion2b_s34b_b79k")
    """The tower of keyframe selection; its text encoder embeds the questions. ViLaMP uses CLIP ViT-B/32."""
    batch_frames: int = Field(32, ge=1, le=4096)
    """Frames per forward pass. Part of the cache key, since the last bits of the embeddings depend on it. A GPU needs
    more (256); on a CPU, a ViT-B-32 takes 10% longer with 64, since malloc gives back what it needs per layer."""
    # A tower uses one CPU thread, since more would change the last bits: increase `workers` instead. On a GPU, the
    # cores decode JPEGs, about 800 frames per second each.
    resources: Resources = Resources(cpus=1, gpus=0, memory_mb=2000, workers=(1, 1))

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on, with a digest of the tower's local weights."""
        return {**super().semantic(), "weights": tower_weights(self.tower)}


def stage(config: EmbedConfig) -> Stage:
    """Declares the stage."""
    return Stage(
        name="embed",
        reads=READS,
        writes=EMBEDDING,
        run=ClipEmbedder,
        config=config,
        emits="unit",
        kind="segment",
        imports=("model.towers.tower",),
        version=3,
    )
