"""Trains a video language model on the shards of a corpus, with Ray Train.

    CORPUS/train/<run>/step_000100/   a checkpoint: safetensors, and checkpoint.json, written last
    CORPUS/train/<run>/log.jsonl      a line a step, up to the last checkpoint

A run goes on from its last complete checkpoint: after a worker died (within the same call), and when called again, with
any number of workers.
"""

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.not_built import require_built
from pipeline.training.checks import VISUAL_COLUMNS, check_settings, check_writable, resume_step
from pipeline.training.config import SAMPLES, TrainConfig
from pipeline.training.run_key import run_key
from schemas.config import ConfigError
from workers.shards.reader import COLUMNS
from workers.storage.store import Store
from workers.training.checkpoint import last_checkpoint, read_log
from workers.training.sample_stream import shard_samples

OnStep = Callable[[dict[str, Any]], None]
"""Called in the driver with a line of the log, when its step is done. A step done again after a death comes again."""


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


def train(
    corpus: str, config: TrainConfig, on_step: OnStep | None = None, *, resume: bool = False, extend: bool = False
) -> TrainReport:
    """Trains up to `config.steps`, or does nothing where the run has come that far already.

    Args:
        corpus: root of a built corpus.
        config: see `TrainConfig`.
        on_step: see `OnStep`; by default prints lines like `step 20  loss 3.21  14.2 samples/s`.
        resume: goes on from a checkpoint of the run that this user did not write, e.g. one that came with the corpus.
        extend: goes on with a run whose `steps` was raised; its learning rate rises again.

    Raises:
        NotBuilt: no build of the corpus has come to its samples.
        ConfigError: a setting cannot be used with these samples, or the run was begun with other settings or samples,
            or it needs `resume` or `extend`. Raised before any process is started.
        CorpusBusy: another call trains this run.
        ClusterTooSmall: the cluster has no room for the workers.
        TrainingFailed: a worker met an error, or workers were lost more often than `config.max_failures`.
        KeyboardInterrupt: Ctrl-C; the workers have ended, and the run can be gone on with.
    """
    store = Store(corpus)
    require_built(store, SAMPLES, "the table samples")
    table = store.read_table(SAMPLES, [*dict.fromkeys(COLUMNS + VISUAL_COLUMNS)])
    config = check_settings(config, table)
    _, samples = shard_samples(store, table, config.split, config.seed)
    key = _key(config.run)
    resumed_at = resume_step(store, config, samples, key, resume=resume, extend=extend)
    if resumed_at < config.steps:
        check_writable(store, config)
        # Not before all checks have been made: importing Ray takes seconds.
        from pipeline.engine.cluster import ray_session
        from pipeline.engine.lock import only_run
        from pipeline.training.driver import run_ranks

        with only_run(store, config.folder), ray_session():
            run_ranks(store, config, key, on_step or _Printer(config))
    return _report(store, resumed_at, config)


def _key(run: str) -> bytes:
    try:
        return run_key(run)
    except OSError as error:
        print(f"this run's checkpoints will need --resume: {error}. Set LONGVID_STATE_DIR to a folder that lasts")
        return secrets.token_bytes(32)


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


def _report(store: Store, resumed_at: int, config: TrainConfig) -> TrainReport:
    log = read_log(store, config.folder)
    if not log:
        raise ConfigError(f"{config.folder}: its log is gone; give train.run another name")
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
        checkpoint=last_checkpoint(store, config.folder) or "",
    )
