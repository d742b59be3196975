"""Trains a video language model on the shards of a corpus, with Ray Train.

    CORPUS/train/<run>/step_000100/   a checkpoint: safetensors files, and checkpoint.json, written last
    CORPUS/train/<run>/log.jsonl      one line per step, up to the last checkpoint

A run resumes from its last complete checkpoint after a worker crashed (within the same call) and when called again,
with any number of workers.
"""

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.not_built import require_built
from pipeline.tables.damage import naming
from pipeline.training.checks import VISUAL_COLUMNS, check_settings, check_writable, resume_step
from pipeline.training.config import SAMPLES, TrainConfig
from pipeline.training.run_key import run_key
from schemas.config import ConfigError
from workers.shards.sample_reader import COLUMNS
from workers.storage.store import Store
from workers.training.manifest import last_checkpoint
from workers.training.run_log import read_log
from workers.training.sample_stream import shard_samples

OnStep = Callable[[dict[str, Any]], None]
"""Called in the driver with the log line of each step. Steps that are repeated after a crash are reported again."""


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """Holds the result of a call, and the state of the run."""

    run: str
    resumed_at: int
    """Step that the call resumed from; 0: the start."""
    step: int
    """Last step of the run."""
    first_loss: float
    """Mean loss of the first tenth of the run's steps, in nats per token."""
    last_loss: float
    """Mean loss of the last tenth of the run's steps, in nats per token."""
    heldout_loss: float | None
    """Loss on the held-out samples at the last checkpoint, in nats per token; None if there are none."""
    questions_cut: int
    """Number of samples, over all steps of the run, whose question was cut to `model.max_text_tokens`."""
    left_out: dict[str, str]
    """Ids of the run's samples, including held-out ones, that had no target to learn from, with the reason."""
    checkpoint: str
    """Path of the last checkpoint in the corpus."""


def train(
    corpus: str, config: TrainConfig, on_step: OnStep | None = None, *, resume: bool = False, extend: bool = False
) -> TrainReport:
    """Trains up to `config.steps`; does nothing if the run has already reached them.

    Args:
        corpus: root of a built corpus.
        config: see `TrainConfig`.
        on_step: see `OnStep`; by default prints lines like `step 20  loss 3.21  14.2 samples/s`.
        resume: whether to trust a checkpoint that this user did not write, for example one that came with the corpus.
        extend: whether to continue a run whose `steps` was raised; its learning rate rises again.

    Raises:
        NotBuilt: the corpus has no samples yet.
        ConfigError: a setting cannot be used with these samples, the run was started with other settings or samples,
            or it needs `resume` or `extend`. Raised before any process is started.
        CorpusBusy: another call trains this run.
        ClusterTooSmall: the cluster has no room for the workers.
        TrainingFailed: a worker raised an error, or workers were lost more often than `config.max_failures`.
        KeyboardInterrupt: Ctrl-C; the workers have ended, and the run can be resumed.
    """
    store = Store(corpus)
    require_built(store, SAMPLES, "the table samples")
    with naming(SAMPLES):
        table = store.read_table(SAMPLES, [*dict.fromkeys(COLUMNS + VISUAL_COLUMNS)])
    config = check_settings(config, table)
    _, samples = shard_samples(store, table, config.split, config.seed)
    key = _key(config.run)
    resumed_at = resume_step(store, config, samples, key, resume=resume, extend=extend)
    if resumed_at < config.steps:
        check_writable(store, config)
        # Imported after all checks, since importing Ray takes seconds.
        from pipeline.engine.cluster import ray_session
        from pipeline.engine.lock import only_run
        from pipeline.training.driver import run_ranks

        with only_run(store, config.folder), ray_session(imports=["pipeline.training.rank"], runtime_env=True):
            run_ranks(store, config, key, on_step or _Printer(config))
    return _report(store, resumed_at, config)


def _key(run: str) -> bytes:
    try:
        return run_key(run)
    except OSError as error:
        print(f"this run's checkpoints will need --resume: {error}. Set LONGVID_STATE_DIR to a folder that lasts")
        return secrets.token_bytes(32)


class _Printer:
    """Prints a line every `log_every` steps, with the rate since the previous line."""

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
        checkpoint=last_checkpoint(store, config.folder) or "",
    )
