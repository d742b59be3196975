"""What a training run is set to, what has to stay so for it to go on, and what is checked before it starts."""

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
    """What is learned, and how. Neither the number of workers nor `micro_batch_size` changes more than rounding."""

    model: VideoLMConfig = VideoLMConfig()
    """Sizes of the model."""
    steps: int = Field(100, ge=1)
    """Optimizer steps of the whole run; the cosine ends there."""
    batch_size: int = Field(8, ge=1)
    """Samples a step, of all workers together; a multiple of their number."""
    micro_batch_size: int = Field(4, ge=1)
    """Samples a worker computes at once; it adds gradients up until its part of the batch is done."""
    learning_rate: float = Field(3e-3, gt=0)
    """At its peak; cosine to zero. For a small model from random weights; ViLaMP has 1e-5 for a trained one of 7B."""
    warmup_fraction: float = Field(0.03, ge=0, lt=1)
    """Part of `steps` in which the learning rate rises."""
    weight_decay: float = Field(0.01, ge=0)
    """Of matrices; vectors have none."""
    clip_norm: float = Field(1.0, gt=0)
    """Gradients are scaled down to this norm."""
    seed: int = Field(0, ge=0)
    """Of the first weights, of the order of samples and of all chance in a step."""

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of the step after `step` steps."""
        warmup = math.ceil(self.warmup_fraction * self.steps)
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (self.steps - warmup)))


def check_model(config: TrainerConfig) -> None:
    """Refuses a model that no run can train, without loading it: for a driver to call before it starts any worker.

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
    """What has to be the same for a run to go on from a checkpoint."""
    changeable = {"steps", "micro_batch_size"}
    fields = set(TrainerConfig.model_fields) - changeable
    return {**config.model_dump(mode="json", include=fields), "samples": asdict(samples)}
