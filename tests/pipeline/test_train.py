import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import psutil
import pytest
import torch
import transformers

from pipeline.train import SAMPLES, TrainConfig, TrainReport, train
from schemas.config import ConfigError, parse
from tests.tiny_samples import TINY
from tests.workers.shards.shard_units import pack, write_video
from workers.shards.sample_reader import COLUMNS
from workers.storage.store import Store
from workers.training.manifest import MANIFEST, last_checkpoint
from workers.training.run_log import read_log
from workers.training.sample_stream import SampleStream, shard_samples
from workers.training.trainer import Trainer

CONFIG = TrainConfig(
    model=TINY,
    steps=5000,
    batch_size=4,
    checkpoint_every=8,
    learning_rate=1e-2,
    warmup_fraction=0.001,
    heldout_samples=5,
    cpus_per_worker=0.5,
    log_every=4,
)


@pytest.fixture(autouse=True)
def one_thread():
    """As many as a worker has: rounding depends on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    """A corpus of 20 samples to train on and 10 held out."""
    store = Store(tmp_path_factory.mktemp("corpus"))
    videos = [write_video(store, number) | {"split": "val" if number < 2 else "train"} for number in range(6)]
    pack(store, videos)
    return store.root


@dataclass
class Lived:
    """A run of two workers: one was killed at step 9, then all were interrupted, and one worker ended it."""

    corpus: str
    before: list[dict]
    """What the driver saw before the interruption."""
    handlers: tuple
    """Of Ctrl-C, before and after."""
    resumed_at: int
    """Step of the last checkpoint after the interruption."""
    after: list[dict]
    report: TrainReport

    @property
    def log(self) -> list[dict]:
        return read_log(Store(self.corpus), "train/first")


@pytest.fixture(scope="module")
def lived(corpus, ray_session) -> Lived:
    before, after, killed = [], [], []
    handler = signal.default_int_handler
    former = signal.signal(signal.SIGINT, handler)  # a shell starts what runs in its background without one

    def disturb(row):
        before.append(row)
        if row["step"] == 9 and not killed:
            killed.append(train_workers()[-1])
            os.kill(killed[0], signal.SIGKILL)
        if row["step"] >= 20 and len(before) > len(set(steps_of(before))):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        # Ray looks after its workers every two seconds, which is longer than these runs.
        patch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
        train(corpus, CONFIG, disturb)
    handlers = handler, signal.getsignal(signal.SIGINT)
    psutil.wait_procs([psutil.Process(pid) for pid in train_workers()], timeout=120)
    assert not train_workers()
    store = Store(corpus)
    # Neither what Ray noted of the run when it ended is a hindrance, nor is half of a checkpoint.
    store.write_bytes("train/first/checkpoint_manager_snapshot.json", b'{"ray')
    store.write_bytes("train/first/step_004999/model.safetensors", b"")
    resumed_at = store.read_json(f"{last_checkpoint(store, 'train/first')}/{MANIFEST}")["step"]
    report = train(corpus, ended_by_one(resumed_at), after.append)
    signal.signal(signal.SIGINT, former)
    return Lived(corpus, before, handlers, resumed_at, after, report)


def ended_by_one(resumed_at: int) -> TrainConfig:
    return CONFIG.model_copy(update={"workers": 1, "steps": resumed_at + 4})


def train_workers() -> list[int]:
    """Processes of Ray Train's workers below this one."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile, or is a zombie
            if "RayTrainWorker" in " ".join(process.cmdline()):
                found.append(process.pid)
    return sorted(found)


def rank_here(corpus, config) -> Trainer:
    """The only rank of a run, in this process."""
    store = Store(corpus)
    read, samples = shard_samples(store, store.read_table(SAMPLES, COLUMNS), config.split, config.seed)
    return Trainer(config, SampleStream(read, samples, batch_size=config.batch_size))


def steps_of(rows) -> list[int]:
    return [row["step"] for row in rows]


def test_trains_on_shards_and_the_loss_falls(lived):
    log, files = lived.log, list(Store(lived.corpus).files("train"))
    assert lived.report.last_loss < 0.6 * lived.report.first_loss
    heldout = {row["step"]: row["heldout_loss"] for row in log if "heldout_loss" in row}
    assert list(heldout) == [*range(8, lived.resumed_at + 1, 8), lived.resumed_at + 4]
    assert (lived.report.questions_cut, lived.report.left_out) == (0, {})
    assert lived.report.heldout_loss == heldout[lived.resumed_at + 4] < 0.6 * heldout[8]
    complete = {path.split("/")[2] for path in files if path.endswith(MANIFEST)}
    assert complete == {f"step_{step:06d}" for step in heldout}
    assert lived.report.checkpoint == f"train/first/step_{lived.resumed_at + 4:06d}"
    assert {path.rsplit(".", 1)[1] for path in files if "step_" in path} == {"safetensors", "json"}


def test_killed_worker_takes_the_run_back_to_its_checkpoint_and_no_further(lived):
    seen = steps_of(lived.before)
    assert len(seen) > len(set(seen))
    assert [seen.count(step) for step in range(1, 9)] == [1] * 8
    # A step done again gives the same loss, to the bit.
    assert len({(row["step"], row["loss"]) for row in lived.before}) == len(set(seen))


def test_interruption_leaves_a_run_to_go_on_with_and_ctrl_c_as_it_was(lived):
    assert lived.handlers[0] is lived.handlers[1]
    assert lived.resumed_at >= 16
    assert steps_of(lived.after) == list(range(lived.resumed_at + 1, lived.resumed_at + 5))
    assert (lived.report.resumed_at, lived.report.step) == (lived.resumed_at, lived.resumed_at + 4)
    assert steps_of(lived.log) == list(range(1, lived.resumed_at + 5))


def test_losses_and_weights_are_those_of_one_rank_never_disturbed(lived):
    one, two = rank_here(lived.corpus, CONFIG), rank_here(lived.corpus, CONFIG)
    losses = [step.loss for step in islice(one.train_steps(), 8)]
    two.load(Store(lived.corpus), "train/first/step_000008")
    for (name, a), b in zip(one.model.named_parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3, msg=lambda text, name=name: f"{name}: {text}")
    losses += [step.loss for step in islice(one.train_steps(), 8)]
    # Rounding differs, and grows with the steps.
    assert [row["loss"] for row in lived.log[:16]] == pytest.approx(losses, rel=1e-2)


def test_losses_after_the_interruption_are_to_the_bit_those_without_ray(lived):
    after = rank_here(lived.corpus, ended_by_one(lived.resumed_at))
    after.load(Store(lived.corpus), f"train/first/step_{lived.resumed_at:06d}")
    assert [step.loss for step in after.train_steps()] == [row["loss"] for row in lived.after]


def test_run_that_is_done_is_left_alone(lived):
    rows = []
    again = train(lived.corpus, ended_by_one(lived.resumed_at), rows.append)
    assert rows == []
    assert again.resumed_at == again.step == lived.report.step
    assert again.last_loss == lived.report.last_loss


def test_other_settings_are_refused_before_anything_starts(lived):
    with pytest.raises(ConfigError, match="is at step .*learning_rate was 0.01 and is 0.5. Set them back"):
        train(lived.corpus, CONFIG.model_copy(update={"learning_rate": 0.5}))


def test_language_model_with_too_few_positions_is_refused_before_anything_starts(corpus, tmp_path):
    transformers.GPT2Config(n_positions=512).save_pretrained(tmp_path)
    model = {"language_model": str(tmp_path), "max_visual_tokens": 400, "max_text_tokens": 200}
    with pytest.raises(ConfigError, match="train.model.language_model = .* 512 positions, .* 400 .* 200 .* 600 tokens"):
        train(corpus, parse(TrainConfig, {"model": model, "run": "refused"}))
    assert not list(Store(corpus).files("train/refused"))


def test_split_without_samples_is_named(corpus):
    with pytest.raises(ValueError, match=r"split = 'test': no samples; there are: .*train \(20\)"):
        train(corpus, CONFIG.model_copy(update={"split": "test"}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"workers": 3, "batch_size": 8}, "workers = 3: .*must divide batch_size = 8"),
        ({"batch_size": 5}, "workers = 2: .*must divide batch_size = 5"),
        ({"run": "../elsewhere"}, "run = '../elsewhere'"),
        ({"checkpoint_every": 0}, "checkpoint_every = 0"),
    ],
    ids=["workers", "batch_size", "run", "checkpoint_every"],
)
def test_config_names_the_field_and_the_value(values, message):
    with pytest.raises(ConfigError, match=message):
        parse(TrainConfig, values)


def test_lines_for_the_eye_come_every_few_steps(capsys):
    from pipeline.train import _Printer

    show = _Printer(CONFIG.model_copy(update={"steps": 10}))
    for step in range(1, 11):
        counts = {"questions_cut": int(step < 7), "left_out": {"a": "why"} if step == 6 else {}}
        heldout = {"heldout_loss": 3.5} if step == 10 else {}
        show({"step": step, "loss": 5 - step / 4, "seconds": 0.25, **counts, **heldout})
    assert capsys.readouterr().out.splitlines() == [
        "step 4  loss 4.00  16.0 samples/s  4 questions cut",
        "step 8  loss 3.00  16.0 samples/s  2 questions cut  1 samples left out",
        "step 10  loss 2.50  held-out 3.50  16.0 samples/s",
    ]
