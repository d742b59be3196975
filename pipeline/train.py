"""Trains a video language model on the shards of a corpus, with Ray Train.

    CORPUS/train/<run>/step_000100/   a checkpoint: safetensors, and checkpoint.json, written last
    CORPUS/train/<run>/log.jsonl      a line a step, up to the last checkpoint

A run goes on from its last complete checkpoint: after a worker died (within the same call), and when called again, with
any number of workers.
"""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from ray.util.queue import Queue

from pipeline.cluster import ray_session
from pipeline.not_built import require_built
from workers.checkpoint import MANIFEST, check_same, last_checkpoint, read_log
from workers.sample_stream import shard_samples
from workers.shards.reader import COLUMNS
from workers.storage import Store
from workers.training.config import TrainerConfig, check_model, must_stay

SAMPLES = "tables/samples.parquet"
OnStep = Callable[[dict[str, Any]], None]
"""Called in the driver with a line of the log, when its step is done. A step done again after a death comes again."""


class TrainConfig(TrainerConfig):
    """A training run on a cluster."""

    run: str = Field("first", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """Its name, and its folder's."""
    split: str = "train"
    """Samples to train on."""
    heldout_split: str = "val"
    """Samples whose loss is measured with every checkpoint; none where the corpus has no such split."""
    heldout_samples: int = Field(32, ge=0)
    """As many of them at most."""
    workers: int = Field(2, ge=1)
    """Processes, one model each; `batch_size` is a multiple of it."""
    cpus_per_worker: float = Field(1.0, gt=0)
    """Cores a worker; it computes with as many threads."""
    use_gpu: bool = False
    """A GPU a worker, bfloat16 and NCCL; else cores, float32 and Gloo."""
    checkpoint_every: int = Field(50, ge=1)
    """Steps; the last step has a checkpoint in any case."""
    log_every: int = Field(10, ge=1)
    """Steps between printed lines."""
    max_failures: int = Field(3, ge=0)
    """Deaths of workers that a call survives."""

    @field_validator("workers")
    @classmethod
    def _divides_the_batch(cls, workers: int, info: ValidationInfo) -> int:
        batch_size = info.data.get("batch_size", workers)
        if batch_size % workers:
            raise ValueError(f"must divide batch_size = {batch_size}")
        return workers


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What a call did and where it left the run."""

    run: str
    resumed_at: int
    """Step it went on from; 0: the start."""
    step: int
    first_loss: float
    """Mean of the run's first tenth of steps, in nats a token."""
    last_loss: float
    """Mean of the run's last tenth."""
    heldout_loss: float | None
    questions_cut: int
    """Of the samples read in all steps of the run, those whose question was cut to `model.max_text_tokens`."""
    left_out: dict[str, str]
    """Samples of the run, held-out ones too, that had no target to learn from: id and reason."""
    samples_per_s: float | None
    """Over the steps of this call; None where it had none to do."""
    checkpoint: str
    """Path in the corpus."""


def train(corpus: str, config: TrainConfig, on_step: OnStep | None = None) -> TrainReport:
    """Trains up to `config.steps`, or does nothing where the run stands there already.

    Args:
        corpus: root of a built corpus.
        config: see `TrainConfig`.
        on_step: see `OnStep`; by default prints lines like `step 20  loss 3.21  14.2 samples/s`.

    Raises:
        NotBuilt: no build of the corpus has come to its samples.
        ValueError: the split has no samples, or (ConfigError) the run was begun with other settings or samples, or the
            language model cannot be used.
        KeyboardInterrupt: Ctrl-C; the workers have ended, and the run can be gone on with.
        ray.train.TrainingFailedError: workers died more often than `config.max_failures`, or raised.
    """
    store, run = Store(corpus), f"train/{config.run}"
    require_built(store, SAMPLES, "the table samples")
    check_model(config)
    _, samples = shard_samples(store, store.read_table(SAMPLES, COLUMNS), config.split, config.seed)
    resumed_at = 0
    if folder := last_checkpoint(store, run):
        state = store.read_json(f"{folder}/{MANIFEST}")
        check_same(state, must_stay(config, samples))
        resumed_at = state["step"]
    if resumed_at < config.steps:
        with ray_session(), _delivered_to(on_step or _Printer(config)) as steps:
            _fit(store, run, config, steps)
    return _report(store, run, resumed_at, config)


def _fit(store: Store, run: str, config: TrainConfig, steps: Queue) -> None:
    # Seconds to import, and whoever wants no more than the config shall not wait for it.
    from ray.train.torch import TorchTrainer
    from ray.train.v2.api.config import FailureConfig, LoggingConfig, RunConfig, ScalingConfig

    from pipeline.train_rank import train_rank

    # Ray's own notes of a run's checkpoints, which a kill may leave damaged: what stands is decided by the manifests.
    store.delete(f"{run}/checkpoint_manager_snapshot.json")
    run_config: Any = RunConfig(  # Ray's own annotations still ask for that of Train v1
        name=config.run,
        storage_path=store.full("train"),
        storage_filesystem=store.filesystem,
        failure_config=FailureConfig(max_failures=config.max_failures),
        logging_config=LoggingConfig(log_level="ERROR"),
    )
    trainer = TorchTrainer(
        train_rank,
        train_loop_config={"corpus": store.root, "run": run, "config": config.model_dump(mode="json"), "steps": steps},
        scaling_config=ScalingConfig(
            num_workers=config.workers,
            use_gpu=config.use_gpu,
            resources_per_worker={"CPU": config.cpus_per_worker, **({"GPU": 1} if config.use_gpu else {})},
        ),
        run_config=run_config,
    )
    with _interrupts_as_ever():
        trainer.fit()


@contextmanager
def _interrupts_as_ever() -> Iterator[None]:
    """Ray Train takes Ctrl-C for itself, ends the workers and then the process with success, and keeps it."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


@contextmanager
def _delivered_to(on_step: OnStep) -> Iterator[Queue]:
    """A queue for workers on any node; what they put there reaches `on_step` in this process."""
    steps = Queue(actor_options={"num_cpus": 0})

    def deliver() -> None:
        while (row := steps.get()) is not None:
            on_step(row)

    thread = threading.Thread(target=deliver, daemon=True)
    thread.start()
    try:
        yield steps
    finally:
        steps.put(None)
        thread.join()
        steps.shutdown()


class _Printer:
    """Prints a line every `log_every` steps, with the rate since the line before."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._num_samples, self._seconds, self._cut, self._left_out = 0, 0.0, 0, 0

    def __call__(self, row: dict[str, Any]) -> None:
        self._num_samples += self._config.batch_size
        self._seconds += row["seconds"]
        self._cut += row.get("questions_cut", 0)
        self._left_out += len(row.get("left_out", {}))
        if row["step"] % self._config.log_every == 0 or row["step"] == self._config.steps or "heldout_loss" in row:
            heldout = f"  held-out {row['heldout_loss']:.2f}" if "heldout_loss" in row else ""
            rate = self._num_samples / self._seconds
            cut = f"  {self._cut} questions cut" if self._cut else ""
            left_out = f"  {self._left_out} samples left out" if self._left_out else ""
            line = f"step {row['step']}  loss {row['loss']:.2f}{heldout}  {rate:.1f} samples/s{cut}{left_out}"
            print(line, flush=True)
            self._num_samples, self._seconds, self._cut, self._left_out = 0, 0.0, 0, 0


def _report(store: Store, run: str, resumed_at: int, config: TrainConfig) -> TrainReport:
    log = read_log(store, run)
    tenth = math.ceil(len(log) / 10)
    seconds = sum(row["seconds"] for row in log if row["step"] > resumed_at)
    num_samples = config.batch_size * (log[-1]["step"] - resumed_at)

    left_out: dict[str, str] = {}
    for row in log:
        left_out |= row.get("left_out", {}) | row.get("heldout_left_out", {})

    def mean(rows: list[dict[str, Any]]) -> float:
        return sum(row["loss"] for row in rows) / len(rows)

    return TrainReport(
        run=config.run,
        resumed_at=resumed_at,
        step=log[-1]["step"],
        first_loss=mean(log[:tenth]),
        last_loss=mean(log[-tenth:]),
        questions_cut=sum(row.get("questions_cut", 0) for row in log),
        left_out=left_out,
        heldout_loss=next((row["heldout_loss"] for row in reversed(log) if "heldout_loss" in row), None),
        samples_per_s=num_samples / seconds if seconds else None,
        checkpoint=last_checkpoint(store, run) or "",
    )
