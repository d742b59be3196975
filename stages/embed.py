"""embed: frames -> CLIP image embeddings. 1:1; ranked by in selection; made once however many questions there are."""

from typing import Any

import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig, TowerConfig
from schemas.stage import Stage
from schemas.tables import EMBEDDING
from workers.towers.clip_embedder import ClipEmbedder
from workers.towers.query_embedder import tower_weights

READS = pa.schema([("video_id", pa.string()), ("segment_id", pa.string()), ("decode_unit", pa.string())])


class EmbedConfig(StageConfig):
    """How frames are embedded."""

    tower: TowerConfig = TowerConfig(model="ViT-B-32", pretrained="laion2b_s34b_b79k")
    """The tower of selection; its text side embeds the questions. ViLaMP selects by CLIP ViT-B/32."""
    batch_frames: int = Field(64, ge=1, le=4096)
    """Frames a forward pass. Decides the last bits of the embeddings, and so the units' paths."""
    # A tower computes on one CPU thread (more would change the last bits), so a CPU worker uses one core: widen by
    # `workers`. On a GPU the cores read JPEG, about 800 frames a second each.
    resources: Resources = Resources(cpus=1, gpus=0, memory_mb=2000, workers=(1, 1))

    def semantic(self) -> dict[str, Any]:
        return {**super().semantic(), "weights": tower_weights(self.tower)}


def stage(config: EmbedConfig) -> Stage:
    return Stage(
        name="embed",
        reads=READS,
        writes=EMBEDDING,
        run=ClipEmbedder,
        config=config,
        emits="unit",
        kind="segment",
    )
