"""Settings of a training run, which of them must not change when it resumes, and checks before it starts."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import Field

from model.config import VideoLMConfig, check_positions, check_stages
from model.language_model import num_layers
from schemas.config import Config, ConfigError

if TYPE_CHECKING:
    from workers.training.sample_stream import SampleSet


class TrainerConfig(Config):
    """Sets how the trainer works. The number of workers and `micro_batch_size` change nothing but rounding."""

    model: VideoLMConfig = VideoLMConfig()
    """Sizes of the model."""
    steps: int = Field(100, ge=1)
    """Number of optimizer steps of the whole run, and length of the cosine schedule."""
    batch_size: int = Field(8, ge=1)
    """Samples per step, over all workers; a multiple of their number."""
    micro_batch_size: int = Field(4, ge=1)
    """Samples that a worker computes at once; it accumulates gradients over its part of the batch."""
    learning_rate: float = Field(3e-3, gt=0)
    """Peak learning rate; falls along a cosine to zero. For small, untrained models (ViLaMP: 1e-5, trained 7B)."""
    warmup_fraction: float = Field(0.03, ge=0, lt=1)
    """Fraction of `steps` in which the learning rate increases."""
    weight_decay: float = Field(0.01, ge=0)
    """Weight decay of matrices; vectors have none."""
    clip_norm: float = Field(1.0, gt=0)
    """Gradients are scaled down to this norm."""
    seed: int = Field(0, ge=0)
    """Seed of the initial weights, the order of samples and all random numbers in a step."""

    def learning_rate_at(self, step: int) -> float:
        """Returns the learning rate of the step that follows `step` steps."""
        warmup = math.ceil(self.warmup_fraction * self.steps)
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (self.steps - warmup)))


def check_model(config: TrainerConfig) -> None:
    """Rejects a model that cannot be trained, without loading it, so that drivers can check before they start workers.

    Raises ConfigError that names the field, the value and the remedy.
    """
    try:
        check_positions(config.model)
        if config.model.visual_dropout:
            folder = config.model.language_model
            check_stages(config.model.visual_dropout, num_layers(folder) if folder else config.model.layers)
    except ValueError as error:
        raise ConfigError(f"train.model.{error}") from error


def resume_fingerprint(config: TrainerConfig, samples: "SampleSet") -> dict[str, Any]:
    """Returns the values that must not change when a run resumes from a checkpoint."""
    changeable = {"steps", "micro_batch_size"}
    fields = set(TrainerConfig.model_fields) - changeable
    return {**config.model_dump(mode="json", include=fields), "samples": asdict(samples)}
