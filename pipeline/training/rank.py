"""The code of each worker of a training run: one rank's trainer, its checkpoints and its log."""

import traceback
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import ray.train
import torch
import torch.distributed as dist
from ray.train.torch import get_device

from pipeline.training.config import SAMPLES, TrainConfig
from pipeline.training.messages import Failed, Started
from schemas.config import parse
from workers.shards.sample_reader import COLUMNS, SampleReader
from workers.storage.store import Store
from workers.training.manifest import checkpoint_folder, last_checkpoint
from workers.training.run_log import read_log, write_log
from workers.training.sample_stream import SampleStream, shard_samples
from workers.training.trainer import Trainer


def train_rank(settings: dict[str, Any]) -> None:
    """Trains from the run's last checkpoint to its end, synchronously with the other ranks.

    Args:
        settings: `store`, the corpus; `config`, a dumped TrainConfig; `key`, which checkpoints are signed with; and
            `inbox`, the queue of the driver, which takes a log line per step, and `pipeline.training.messages`.
    """
    context = ray.train.get_context()
    rank, world_size = context.get_world_rank(), context.get_world_size()
    try:
        if rank == 0:
            settings["inbox"].put(Started())
        _train(parse(TrainConfig, settings["config"]), settings, rank, world_size)
    except Exception as error:
        if not _is_lost_rank(error):
            settings["inbox"].put(_failed(error))
        raise


def _train(config: TrainConfig, settings: dict[str, Any], rank: int, world_size: int) -> None:
    store = settings["store"]
    torch.set_num_threads(max(1, int(config.cpus_per_worker)))
    table = store.read_table(SAMPLES, COLUMNS)
    read, samples = shard_samples(store, table, config.split, config.seed)
    stream = SampleStream(read, samples, batch_size=config.batch_size, rank=rank, world_size=world_size)
    trainer = Trainer(config, stream, rank=rank, world_size=world_size, device=get_device())
    log: list[dict[str, Any]] = []
    if folder := last_checkpoint(store, config.folder):
        trainer.load(store, folder)
        log = [row for row in read_log(store, config.folder) if row["step"] <= trainer.step]
    measures_heldout = bool(config.heldout_samples) and _has(table, config.heldout_split)
    if measures_heldout:
        trainer.check_heldout(_heldout(store, table, config, rank, world_size))
    for step in trainer.train_steps():
        log.append(asdict(step))
        is_checkpoint = step.step % config.checkpoint_every == 0 or step.step == config.steps
        if is_checkpoint and measures_heldout:
            heldout = trainer.heldout(_heldout(store, table, config, rank, world_size))
            log[-1] |= {f"heldout_{name}": value for name, value in vars(heldout).items()}
        if rank == 0:
            settings["inbox"].put(log[-1])
        if is_checkpoint:
            _checkpoint(trainer, store, config, settings["key"], log)


def _is_lost_rank(error: Exception) -> bool:
    """Returns whether a collective operation failed because of another rank, whose error is then the cause."""
    # Gloo's errors are bare RuntimeErrors that begin with the place in its source.
    return isinstance(error, dist.DistError) or (type(error) is RuntimeError and "gloo" in str(error))


def _failed(error: Exception) -> Failed:
    text = " ".join(str(error).split())[:1000]
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return Failed(message=f"out of memory: {text}. Lower train.micro_batch_size or train.model.max_visual_tokens")
    if isinstance(error, ValueError | OSError | FloatingPointError):  # their messages are written for the user
        return Failed(message=text)
    return Failed(message=f"{type(error).__name__}: {text}", traceback=traceback.format_exc())


def _checkpoint(trainer: Trainer, store: Store, config: TrainConfig, key: bytes, log: list[dict[str, Any]]) -> None:
    checkpoint = None
    if trainer.rank == 0:
        folder = checkpoint_folder(config.folder, trainer.step)
        # The log first: it must contain every step of a checkpoint; later steps are deleted at resume.
        write_log(store, config.folder, log)
        trainer.save(store, folder, key)
        checkpoint = ray.train.Checkpoint(store.full(folder), store.filesystem)
    # All ranks wait here for the first, so that none is ahead of the checkpoint from which a restart would resume.
    ray.train.report(log[-1], checkpoint=checkpoint, checkpoint_upload_mode=ray.train.CheckpointUploadMode.NO_UPLOAD)


def _heldout(
    store: Store, table: pa.Table, config: TrainConfig, rank: int, world_size: int
) -> Iterator[dict[str, Any]]:
    """This rank's part of the held-out samples, which are the same for any number of ranks."""
    reader = SampleReader(
        store, table, split=config.heldout_split, rank=rank, world_size=world_size, shuffle=False, prefetch=0
    )
    return islice(reader, len(range(rank, config.heldout_samples, world_size)))


def _has(table: pa.Table, split: str) -> bool:
    return bool(pc.any(pc.equal(table["split"], split)).as_py())
