"""Two real ranks, in processes of their own that talk over Gloo."""

import gc
import json
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from schemas.config import ConfigError
from tests.tiny_samples import TINY, tiny_sample, tiny_set
from workers.training.config import TrainerConfig
from workers.training.sample_stream import SampleStream
from workers.training.trainer import Trainer


def unanswered(number: int) -> dict:
    return tiny_sample(number) | {"conversations": [{"from": "human", "value": "Is it on?"}]}


def trainer_of(samples: list[dict], rank: int = 0, world_size: int = 1) -> Trainer:
    def read(epoch, first, stride):
        yield from samples[first::stride]

    config = TrainerConfig(model=TINY, steps=2, batch_size=len(samples))
    stream = SampleStream(read, tiny_set(len(samples)), batch_size=len(samples), rank=rank, world_size=world_size)
    return Trainer(config, stream, rank=rank, world_size=world_size)


def run_rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    Path(folder, f"rank_{rank}.json").write_text(json.dumps(result_of(rank)))
    # A trainer that outlives its process group, in the cycle of an error and its traceback, can abort the process.
    gc.collect()
    dist.destroy_process_group()


def result_of(rank: int) -> dict:
    # All that rank 1 has is without an answer.
    samples = [tiny_sample(0), unanswered(1), tiny_sample(2), unanswered(3)]
    trainer = trainer_of(samples, rank, 2)
    steps = [{"loss": step.loss, "left_out": step.left_out} for step in trainer.train_steps()]
    heldout = trainer.heldout(samples[rank::2])
    with pytest.raises(ConfigError) as error:  # on both ranks, or one would wait for the other
        next(trainer_of([unanswered(5), unanswered(6)], rank, 2).train_steps())
    return {"steps": steps, "heldout": vars(heldout), "error": str(error.value)}


@pytest.mark.slow
def test_rank_without_a_target_stays_in_step_with_the_others(tmp_path):
    mp.spawn(run_rank, (str(tmp_path),), nprocs=2)  # joins both, and ends them where one fails
    results = [json.loads((tmp_path / f"rank_{rank}.json").read_text()) for rank in (0, 1)]
    assert results[0] == results[1]
    alone = trainer_of([tiny_sample(0), tiny_sample(2)])
    losses = [step.loss for step in alone.train_steps()]
    assert [step["loss"] for step in results[0]["steps"]] == pytest.approx(losses, rel=1e-4)
    assert (
        list(results[0]["steps"][0]["left_out"]) == list(results[0]["heldout"]["left_out"]) == ["00000001", "00000003"]
    )
    assert results[0]["heldout"]["loss"] == pytest.approx(
        alone.heldout([tiny_sample(0), tiny_sample(2)]).loss, rel=1e-3
    )
    assert "00000005: its conversation has no answer; 00000006: " in results[0]["error"]
