import itertools
import math
from dataclasses import replace

import pytest
import torch

from schemas.config import ConfigError, parse
from tests.tiny_samples import TINY, WIDTH, reads, tiny_sample, tiny_set
from workers.storage.store import Store
from workers.training.config import TrainerConfig
from workers.training.sample_stream import SampleStream
from workers.training.sequences import build_sequences
from workers.training.trainer import Trainer

pytestmark = pytest.mark.slow


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
    config = make_config(steps=80, batch_size=8, micro_batch_size=8, learning_rate=1e-2)
    trainer = make_trainer(config, num_samples=200, shows=shows)
    losses(trainer)
    told = trainer.heldout(tiny_sample(n, shows=shows) for n in range(1000, 1040)).loss
    # Blind, it would be ln 2 for the first letter and nothing for the rest: 0.2 per token.
    assert told < 0.05
    # The same questions with the other answer's tokens are answered wrongly, and not by chance.
    crossed = [
        tiny_sample(n, shows=shows) | {"conversations": tiny_sample(n + 1)["conversations"]} for n in range(1000, 1040)
    ]
    assert trainer.heldout(crossed).loss > 1.0


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
    each = [trainer.heldout([sample]).loss for sample in samples]
    targets = [sequence.num_targets for sequence in build_sequences(samples, trainer.tokenizer, TINY, WIDTH).built]
    weighted = sum(loss * n for loss, n in zip(each, targets, strict=True)) / sum(targets)
    assert trainer.heldout(samples).loss == pytest.approx(weighted, rel=1e-5)


def with_text(number, question="Is it on?", answer: str | None = "no") -> dict:
    turns = [{"from": "human", "value": question}] + ([{"from": "gpt", "value": answer}] if answer is not None else [])
    return tiny_sample(number) | {"conversations": turns}


def trainer_of(samples, **settings) -> Trainer:
    """A trainer whose every batch is of these samples, over and over."""
    config = make_config(batch_size=len(samples), **settings)

    def read(epoch, first, stride):
        yield from samples[first::stride]

    return Trainer(config, SampleStream(read, tiny_set(len(samples)), batch_size=len(samples)))


def test_long_question_is_cut_and_counted_and_its_answer_is_learned():
    transcript = "and then he says that the red ring goes left. " * 52
    whole = trainer_of([with_text(1)], steps=1)
    cut = trainer_of([with_text(1, transcript), with_text(2)], steps=1)
    (step,) = cut.train_steps()
    assert (step.questions_cut, step.left_out) == (1, {})
    assert step.num_targets == 2 * next(whole.train_steps()).num_targets
    assert cut.heldout([with_text(1, transcript)]).questions_cut == 1


def test_samples_without_targets_are_left_out_by_name():
    samples = [with_text(1), with_text(2, answer=None), with_text(3, answer="no, " * 1000)]
    trainer = trainer_of(samples, steps=2)
    alone = trainer_of(samples[:1], steps=2)
    for step, expected in zip(trainer.train_steps(), alone.train_steps(), strict=True):
        assert list(step.left_out) == ["00000002", "00000003"]
        assert step.left_out["00000002"] == "its conversation has no answer"
        assert "ChatML marks need" in step.left_out["00000003"] and "2048" in step.left_out["00000003"]
        assert (step.num_targets, step.loss) == (expected.num_targets, pytest.approx(expected.loss, rel=1e-5))
    heldout = trainer.heldout(samples)
    assert heldout.left_out == step.left_out
    assert heldout.loss == pytest.approx(trainer.heldout(samples[:1]).loss, rel=1e-6)


def test_step_without_any_target_is_an_error_that_changes_nothing():
    trainer = trainer_of([with_text(1, answer=None), with_text(2, answer="x" * 3000)])
    before = [p.clone() for p in trainer.model.parameters()]
    with pytest.raises(ConfigError, match="step 1 has no target .* 2 samples, all left out; 00000001: .*; 00000002: "):
        next(trainer.train_steps())
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.model.parameters(), strict=True))


@pytest.mark.parametrize("samples", [[], [with_text(1, answer=None)]], ids=["no samples", "no answers"])
def test_heldout_set_without_any_target_is_an_error(samples):
    trainer = make_trainer(make_config())
    for measure in (trainer.heldout, trainer.check_heldout):
        with pytest.raises(ConfigError, match=f"held-out set has no target to learn from: {len(samples)} samples"):
            measure(samples)


def test_a_heldout_loss_that_is_no_number_ends_the_run():
    trainer, sample = make_trainer(make_config()), tiny_sample(1)
    with pytest.raises(FloatingPointError, match="step 0: the held-out loss is nan, so no checkpoint is written"):
        trainer.heldout([sample | {"merged_tokens": math.nan * sample["merged_tokens"]}])


def test_videos_that_differ_only_in_their_times_are_told_apart():
    for form in ("short", "long"):
        trainer = make_trainer(make_config(model=replace(TINY, time_prompt=form)))
        slow = tiny_sample(1) | {"time_s": 10 * tiny_sample(1)["time_s"]}
        assert trainer.heldout([slow]).loss != trainer.heldout([tiny_sample(1)]).loss


def test_learning_rate_rises_and_falls_as_a_cosine():
    config = make_config(steps=100, learning_rate=1.0, warmup_fraction=0.03)
    rates = [config.learning_rate_at(step) for step in range(100)]
    assert rates[:4] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert rates[3 + 97 // 2] == pytest.approx(0.5, abs=0.02)
    assert all(a >= b for a, b in itertools.pairwise(rates[3:])) and 0 < rates[-1] < 0.001


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


def test_attention_that_is_not_finite_ends_the_run_with_the_same_advice():
    trainer = make_trainer(make_config(model=replace(TINY, visual_dropout=((1, 0.5, "attention"),))))
    with torch.no_grad():
        trainer.model.newline.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="step 1: .*scores .* are NaN.* Lower learning_rate = 0.003"):
        losses(trainer)


def test_config_names_the_field_the_value_and_the_remedy():
    with pytest.raises(ConfigError) as error:
        parse(TrainerConfig, {"steps": 0, "model": {"width": 31}, "rate": 1})
    message = str(error.value)
    assert "steps = 0: Input should be greater than or equal to 1" in message
    assert "width = 31: must be a multiple of 2 * heads = 8" in message
    assert "rate = 1: unknown key. Use one of: model, steps" in message
