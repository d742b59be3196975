"""One rank of a training run: model, optimizer and its place in the data."""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from pydantic import Field
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from model.sequence import TokenBatch, build_sequence, collate
from model.tokenizer import load_tokenizer
from model.video_lm import VideoLM, VideoLMConfig, check_positions
from schemas.config import Config, ConfigError
from workers.checkpoint import check_same, load_checkpoint, load_optimizer, optimizer_tensors, save_checkpoint
from workers.sample_stream import SampleSet, SampleStream
from workers.storage import Store


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


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a step did, over all ranks."""

    step: int
    """The first is 1."""
    epoch: int
    """That the batch began in."""
    loss: float
    """Mean cross entropy of a target token, in nats, before the step."""
    learning_rate: float
    grad_norm: float
    """Before clipping."""
    num_targets: int
    seconds: float


class Trainer:
    """Trains on samples as `workers.shard_reader.ShardReader` gives them.

    Chance in a step is seeded from `seed`, the step and the rank: no generator has a state that a checkpoint would
    have to hold, and a run may go on with another number of ranks.

    Args:
        config: see `TrainerConfig`.
        stream: this rank's samples.
        rank, world_size: of the torch process group, which stands where there is more than one rank.
        device: where the model lives.
    """

    def __init__(
        self,
        config: TrainerConfig,
        stream: SampleStream,
        *,
        rank: int = 0,
        world_size: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self.config, self.stream = config, stream
        self.rank, self.world_size, self.device = rank, world_size, torch.device(device)
        self.tokenizer = load_tokenizer(config.model.language_model)
        torch.manual_seed(config.seed)
        width = stream.samples.token_width
        self.model = VideoLM(config.model, token_width=width, vocab_size=self.tokenizer.vocab_size)
        self.model.to(self.device)
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.model, config.weight_decay), lr=config.learning_rate)
        self.step = 0

    def train_steps(self) -> Iterator[Step]:
        """Steps up to `config.steps`, from wherever it stands. Raises FloatingPointError where the loss diverges."""
        parallel = DistributedDataParallel(self.model) if self.world_size > 1 else self.model
        while self.step < self.config.steps:
            started, epoch = time.perf_counter(), self.stream.epoch
            loss, num_targets = self._backward(parallel, self.stream.next_batch())
            grad_norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm).item()
            if not math.isfinite(loss + grad_norm):
                raise FloatingPointError(
                    f"step {self.step + 1}: the loss is {loss}, the norm of its gradients {grad_norm}. Lower "
                    f"learning_rate = {self.config.learning_rate} or raise warmup_fraction = "
                    f"{self.config.warmup_fraction}, under another name of the run"
                )
            learning_rate = self.config.learning_rate_at(self.step)
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
            self.optimizer.step()
            self.step += 1
            yield Step(
                step=self.step,
                epoch=epoch,
                loss=loss,
                learning_rate=learning_rate,
                grad_norm=grad_norm,
                num_targets=num_targets,
                seconds=time.perf_counter() - started,
            )

    def heldout_loss(self, samples: Iterable[dict[str, Any]]) -> float:
        """Mean cross entropy of a target token over the samples of all ranks, in nats; nan where there is none."""
        self.model.eval()
        total = torch.zeros(2, dtype=torch.float64, device=self.device)
        samples = iter(samples)
        with torch.no_grad():
            while part := list(islice(samples, self.config.micro_batch_size)):
                batch = self._collate(part)
                with self._autocast():
                    total += torch.tensor([self.model(batch).item(), batch.num_targets], device=self.device)
        loss, num_targets = self._sum(total).tolist()
        return loss / num_targets if num_targets else math.nan

    def save(self, store: Store, folder: str) -> None:
        """Writes a checkpoint of everything that the next step depends on. For one rank to call."""
        parameters: dict[str, Tensor] = dict(self.model.named_parameters())
        state = {
            "step": self.step,
            "epoch": self.stream.epoch,
            "samples_consumed": self.stream.samples_consumed,
            "same": must_stay(self.config, self.stream.samples),
        }
        tensors = {"model": parameters, "optimizer": optimizer_tensors(self.optimizer, parameters)}
        save_checkpoint(store, folder, tensors, state)

    def load(self, store: Store, folder: str) -> None:
        """Goes on where a checkpoint was written, whatever the number of ranks was.

        Raises ValueError where the run had other settings or other samples.
        """
        tensors, state = load_checkpoint(store, folder)
        check_same(state, must_stay(self.config, self.stream.samples))
        parameters = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, value in tensors["model"].items():
                parameters[name].copy_(value)
        load_optimizer(self.optimizer, parameters, tensors["optimizer"])
        self.step = state["step"]
        self.stream.seek(state["epoch"], state["samples_consumed"])

    def _backward(
        self, parallel: VideoLM | DistributedDataParallel, samples: list[dict[str, Any]]
    ) -> tuple[float, int]:
        """Gradients of the mean loss of a target token over all ranks; that loss, and the number of targets."""
        config, size = self.config, self.config.micro_batch_size
        torch.manual_seed(int(np.random.SeedSequence([config.seed, self.step, self.rank]).generate_state(1)[0]))
        batches = [self._collate(samples[i : i + size]) for i in range(0, len(samples), size)]
        num_targets = int(self._sum(torch.tensor(sum(b.num_targets for b in batches), device=self.device)))
        loss_sum = torch.zeros((), device=self.device)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        for i, batch in enumerate(batches):
            is_last = i == len(batches) - 1
            with nullcontext() if is_last or isinstance(parallel, VideoLM) else parallel.no_sync():
                with self._autocast():
                    loss = parallel(batch)
                # Ranks' gradients are averaged: times their number it's their sum, and every token weighs the same.
                (loss * self.world_size / max(num_targets, 1)).backward()
            loss_sum += loss.detach()
        return self._sum(loss_sum).item() / max(num_targets, 1), num_targets

    def _collate(self, samples: list[dict[str, Any]]) -> TokenBatch:
        model = self.config.model
        sequences = [
            build_sequence(
                sample,
                self.tokenizer,
                max_visual_tokens=model.max_visual_tokens,
                max_text_tokens=model.max_text_tokens,
                thinning=model.thinning,
            )
            for sample in samples
        ]
        return collate(sequences, self.tokenizer.pad_id).to(self.device)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda")

    def _sum(self, value: Tensor) -> Tensor:
        """Over all ranks."""
        if self.world_size > 1:
            dist.all_reduce(value)
        return value


def check_model(config: TrainerConfig) -> None:
    """Refuses a model that no run can train, without loading it: for a driver to call before it starts any worker.

    Raises ConfigError that names the field, the value and the remedy.
    """
    try:
        check_positions(config.model)
    except ValueError as error:
        raise ConfigError(f"train.model.{error}") from error


def must_stay(config: TrainerConfig, samples: SampleSet) -> dict[str, Any]:
    """What has to be the same for a run to go on from a checkpoint."""
    changeable = {"steps", "micro_batch_size"}
    fields = set(TrainerConfig.model_fields) - changeable
    return {**config.model_dump(mode="json", include=fields), "samples": asdict(samples)}


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; norms, biases and the newline don't."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
