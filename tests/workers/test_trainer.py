import math

import pytest
import torch

from schemas.config import ConfigError, parse
from tests.tiny_samples import TINY, reads, tiny_sample, tiny_set
from workers.sample_stream import SampleStream
from workers.storage import Store
from workers.trainer import Trainer, TrainerConfig


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_config(**settings) -> TrainerConfig:
    return TrainerConfig(**{"model": TINY, "steps": 12, "batch_size": 6, "learning_rate": 3e-3, **settings})


def make_trainer(config, num_samples=40, rank=0, world_size=1, **settings) -> Trainer:
    stream = SampleStream(
        reads(num_samples, **settings),
        tiny_set(num_samples),
        batch_size=config.batch_size,
        rank=rank,
        world_size=world_size,
    )
    return Trainer(config, stream, rank=rank, world_size=world_size)


def losses(trainer) -> list[float]:
    return [step.loss for step in trainer.train_steps()]


@pytest.mark.parametrize("shows", ["merged", "keyframe"])
def test_learns_what_only_the_visual_tokens_tell(shows):
    config = make_config(steps=60, batch_size=8, micro_batch_size=8, learning_rate=1e-2)
    trainer = make_trainer(config, num_samples=200, shows=shows)
    losses(trainer)
    told = trainer.heldout_loss(tiny_sample(n, shows=shows) for n in range(1000, 1040))
    # Blind, it would be ln 2 for the first letter and nothing for the rest: 0.2 a token.
    assert told < 0.05
    # The same questions with the other answer's tokens are answered wrongly, and not by chance.
    crossed = [
        tiny_sample(n, shows=shows) | {"conversations": tiny_sample(n + 1)["conversations"]} for n in range(1000, 1040)
    ]
    assert trainer.heldout_loss(crossed) > 1.0


def test_resumed_run_has_the_losses_of_one_never_stopped(tmp_path):
    store, config = Store(tmp_path), make_config()
    whole = losses(make_trainer(config))
    stopped = make_trainer(config)
    steps = stopped.train_steps()
    begun = [next(steps).loss for _ in range(5)]
    stopped.save(store, "run/step_000005")
    next(steps)  # beyond the checkpoint: must leave no trace
    torch.manual_seed(99)
    resumed = make_trainer(config)
    resumed.load(store, "run/step_000005")
    assert resumed.step == 5
    # To the bit, and over the end of an epoch: 40 samples are 6 steps and 4 samples.
    assert begun + losses(resumed) == whole


def test_micro_batches_change_rounding_only():
    whole = losses(make_trainer(make_config(micro_batch_size=6)))
    parts = losses(make_trainer(make_config(micro_batch_size=1)))
    assert parts == pytest.approx(whole, rel=1e-4)


def test_answers_of_any_length_weigh_by_their_tokens():
    samples = [tiny_sample(n) for n in range(4)]
    samples[0]["conversations"][1]["value"] = "no, it is off, and it has been off for all of the video"
    trainer = make_trainer(make_config(micro_batch_size=1))
    each = [trainer.heldout_loss([sample]) for sample in samples]
    targets = [trainer._collate([sample]).num_targets for sample in samples]
    weighted = sum(loss * n for loss, n in zip(each, targets, strict=True)) / sum(targets)
    assert trainer.heldout_loss(samples) == pytest.approx(weighted, rel=1e-5)


def test_heldout_loss_of_nothing_is_nan():
    assert math.isnan(make_trainer(make_config()).heldout_loss([]))


def test_learning_rate_rises_and_falls_as_a_cosine():
    config = make_config(steps=100, learning_rate=1.0, warmup_fraction=0.03)
    rates = [config.learning_rate_at(step) for step in range(100)]
    assert rates[:4] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert rates[3 + 97 // 2] == pytest.approx(0.5, abs=0.02)
    assert all(a >= b for a, b in zip(rates[3:], rates[4:], strict=False)) and 0 < rates[-1] < 0.001


def test_checkpoint_of_other_settings_is_refused(tmp_path):
    store = Store(tmp_path)
    trainer = make_trainer(make_config(steps=1))
    losses(trainer)
    trainer.save(store, "run/step_000001")
    make_trainer(make_config(steps=20, micro_batch_size=1)).load(store, "run/step_000001")
    with pytest.raises(ConfigError, match="learning_rate was 0.003 and is 0.1; samples.num_samples was 40 and is 41"):
        make_trainer(make_config(learning_rate=0.1), num_samples=41).load(store, "run/step_000001")


def test_loss_that_diverges_ends_the_run_before_the_weights_are_spoilt():
    trainer = make_trainer(make_config(steps=3))
    with torch.no_grad():
        trainer.model.newline.fill_(math.inf)
    before = trainer.model.merged_projector[0].weight.clone()
    with pytest.raises(FloatingPointError, match="step 1: the loss is nan, .* Lower learning_rate = 0.003"):
        losses(trainer)
    assert torch.equal(trainer.model.merged_projector[0].weight, before)


def test_config_names_the_field_the_value_and_the_remedy():
    with pytest.raises(ConfigError) as error:
        parse(TrainerConfig, {"steps": 0, "model": {"width": 31}, "rate": 1})
    message = str(error.value)
    assert "steps = 0: Input should be greater than or equal to 1" in message
    assert "width = 31: must be a multiple of 2 * heads = 8" in message
    assert "rate = 1: unknown key. Use one of: model, steps" in message
