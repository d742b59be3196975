"""One rank of a training run: model, optimizer and position in the data."""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from model.sequence import TokenBatch, TokenSequence, collate, empty_sequence
from model.tokenizer import load_tokenizer
from model.video_lm import VideoLM
from schemas.config import ConfigError
from workers.storage.store import Store
from workers.training.checkpoint import load_checkpoint, load_parameters, save_checkpoint
from workers.training.config import TrainerConfig, resume_fingerprint
from workers.training.manifest import check_resumable, read_manifest
from workers.training.measures import HELDOUT_REMEDY, Counts, Heldout, Step
from workers.training.optimizer import load_optimizer, optimizer_tensors, parameter_groups
from workers.training.ranks import Ranks
from workers.training.sample_stream import SampleStream
from workers.training.sequences import Sequences, build_sequences


class Trainer:
    """Trains on samples as `workers.shards.sample_reader.SampleReader` gives them.

    Chance in a step is seeded from `seed`, the step and the rank: no generator has a state that a checkpoint would
    have to hold, and a run may go on with another number of ranks.

    Args:
        config: see `TrainerConfig`.
        stream: this rank's samples.
        rank, world_size: of the torch process group, which exists if there is more than one rank.
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
        self._ranks = Ranks(world_size)
        self.tokenizer = load_tokenizer(config.model.language_model)
        torch.manual_seed(config.seed)
        width = stream.samples.token_width
        self.model = VideoLM(config.model, token_width=width, vocab_size=self.tokenizer.vocab_size)
        self.model.to(self.device)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, config.weight_decay), lr=config.learning_rate)
        self.step = 0

    def train_steps(self) -> Iterator[Step]:
        """Yields the measurements of each step, from the current one to `config.steps`.

        Raises:
            FloatingPointError: the loss diverges.
            ConfigError: no sample of a step has a target.
        """
        parallel = DistributedDataParallel(self.model) if self.world_size > 1 else self.model
        while self.step < self.config.steps:
            started, epoch = time.perf_counter(), self.stream.epoch
            try:
                loss, counts = self._backward(parallel, self.stream.next_batch())
            except FloatingPointError as error:
                raise self._diverged(str(error)) from error
            grad_norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm).item()
            if not math.isfinite(loss + grad_norm):
                raise self._diverged(f"the loss is {loss}, the norm of its gradients {grad_norm}")
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
                seconds=time.perf_counter() - started,
                **vars(counts),
            )

    def check_heldout(self, samples: Iterable[dict[str, Any]]) -> None:
        """Raises ConfigError if none of the samples of all ranks has a target. Called at the start of a run."""
        sequences = self._sequences(samples)
        self._count(sequences, sum(sequence.num_targets for sequence in sequences.built), "the held-out set")

    def heldout(self, samples: Iterable[dict[str, Any]]) -> Heldout:
        """Measures the loss on the samples of all ranks. Raises ConfigError if none of them has a target.

        Raises FloatingPointError if the loss is no number.
        """
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        every, num_targets, samples = Sequences(), 0, iter(samples)
        with torch.no_grad():
            while part := list(islice(samples, self.config.micro_batch_size)):
                sequences = self._sequences(part)
                every.questions_cut += sequences.questions_cut
                every.left_out |= sequences.left_out
                for batch in self._batches(sequences.built):
                    with self._autocast():
                        total += self.model(batch).double()
                    num_targets += batch.num_targets
        counts = self._count(every, num_targets, "the held-out set")
        loss = self._ranks.sum(total).item() / counts.num_targets
        if not math.isfinite(loss):
            raise FloatingPointError(f"step {self.step}: the held-out loss is {loss}{HELDOUT_REMEDY}")
        return Heldout(loss=loss, questions_cut=counts.questions_cut, left_out=counts.left_out)

    def save(self, store: Store, folder: str, key: bytes = b"") -> None:
        """Writes a signed checkpoint of everything that the next step depends on. Only one rank may call this."""
        parameters: dict[str, Tensor] = dict(self.model.named_parameters())
        state = {
            "step": self.step,
            "steps": self.config.steps,
            "epoch": self.stream.epoch,
            "samples_consumed": self.stream.samples_consumed,
            "same": resume_fingerprint(self.config, self.stream.samples),
        }
        tensors = {"model": parameters, "optimizer": optimizer_tensors(self.optimizer, parameters)}
        save_checkpoint(store, folder, tensors, state, key)

    def load(self, store: Store, folder: str) -> None:
        """Resumes from a checkpoint, which may have been written with another number of ranks.

        Raises ValueError where the run had other settings or other samples, or the files are not those of such a model.
        """
        check_resumable(read_manifest(store, folder), resume_fingerprint(self.config, self.stream.samples))
        tensors, state = load_checkpoint(store, folder)
        parameters = dict(self.model.named_parameters())
        load_parameters(parameters, tensors.get("model", {}))
        load_optimizer(self.optimizer, parameters, tensors.get("optimizer", {}))
        self.step = state["step"]
        self.stream.seek(state["epoch"], state["samples_consumed"])

    def _backward(
        self, parallel: VideoLM | DistributedDataParallel, samples: list[dict[str, Any]]
    ) -> tuple[float, Counts]:
        """Computes gradients of the mean loss per target token over all ranks; returns it and the counts of samples."""
        torch.manual_seed(int(np.random.SeedSequence([self.config.seed, self.step, self.rank]).generate_state(1)[0]))
        sequences = self._sequences(samples)
        batches = self._batches(sequences.built)
        counts = self._count(sequences, sum(b.num_targets for b in batches), f"step {self.step + 1}")
        loss_sum = torch.zeros((), device=self.device)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        for i, batch in enumerate(batches):
            is_last = i == len(batches) - 1
            with nullcontext() if is_last or isinstance(parallel, VideoLM) else parallel.no_sync():
                with self._autocast():
                    loss = parallel(batch)
                # Ranks' gradients are averaged: times their number it's their sum, and every token weighs the same.
                (loss * self.world_size / counts.num_targets).backward()
            loss_sum += loss.detach()
        return self._ranks.sum(loss_sum).item() / counts.num_targets, counts

    def _sequences(self, samples: Iterable[dict[str, Any]]) -> Sequences:
        return build_sequences(samples, self.tokenizer, self.config.model, self.stream.samples.token_width)

    def _batches(self, sequences: list[TokenSequence]) -> list[TokenBatch]:
        """Yields at least one batch, since every rank must take part in collective operations."""
        pad_id, size = self.tokenizer.pad_id, self.config.micro_batch_size
        sequences = sequences or [empty_sequence(self.stream.samples.token_width, pad_id)]
        return [collate(sequences[i : i + size], pad_id).to(self.device) for i in range(0, len(sequences), size)]

    def _count(self, sequences: Sequences, num_targets: int, what: str) -> Counts:
        """Sums over all ranks. Raises ConfigError on all of them if no sample has a target."""
        local = [num_targets, sequences.questions_cut, len(sequences.left_out)]
        num_targets, questions_cut, num_left_out = self._ranks.sum(torch.tensor(local, device=self.device)).tolist()
        left_out = self._ranks.union(sequences.left_out) if num_left_out else {}
        if not num_targets:
            reasons = "".join(f"; {sample}: {reason}" for sample, reason in list(left_out.items())[:3])
            raise ConfigError(
                f"{what} has no target to learn from: {num_left_out} samples, all left out{reasons}. Raise "
                f"train.model.max_text_tokens = {self.config.model.max_text_tokens}, or give samples with answers"
            )
        return Counts(num_targets=num_targets, questions_cut=questions_cut, left_out=left_out)

    def _diverged(self, what: str) -> FloatingPointError:
        return FloatingPointError(
            f"step {self.step + 1}: {what}. Lower learning_rate = {self.config.learning_rate} or raise "
            f"warmup_fraction = {self.config.warmup_fraction}, under another name of the run"
        )

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda")
