import os
import shutil
import signal

import psutil
import pytest
import torch

from pipeline.train import SAMPLES, TrainConfig, train
from schemas.config import ConfigError, parse
from tests.tiny_samples import TINY
from tests.workers.shard_units import pack, write_video
from workers.checkpoint import MANIFEST, last_checkpoint, read_log
from workers.sample_stream import SampleStream, shard_samples
from workers.shard_reader import COLUMNS
from workers.storage import Store
from workers.trainer import Trainer

CONFIG = TrainConfig(
    model=TINY,
    steps=24,
    batch_size=4,
    checkpoint_every=8,
    learning_rate=1e-2,
    heldout_samples=5,
    cpus_per_worker=0.5,
    log_every=4,
)


@pytest.fixture(scope="module")
def polled_often():
    """Ray looks after its workers every two seconds, which is longer than these runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    """A corpus of 20 samples to train on and 10 held out."""
    store = Store(tmp_path_factory.mktemp("corpus"))
    videos = [write_video(store, number) | {"split": "val" if number < 2 else "train"} for number in range(6)]
    pack(store, videos)
    return store.root


@pytest.fixture(scope="module")
def trained(corpus, ray_session, polled_often):
    """The corpus after a run of two workers of which one was killed at step 9, the report, and what its driver saw."""
    rows, killed = [], []

    def kill_one(row):
        rows.append(row)
        if row["step"] == 9 and not killed:
            killed.append(train_workers()[-1])
            os.kill(killed[0], signal.SIGKILL)

    return corpus, train(corpus, CONFIG, kill_one), rows


def train_workers() -> list[int]:
    """Processes of Ray Train's workers below this one."""
    processes = psutil.Process().children(recursive=True)
    return sorted(p.pid for p in processes if "RayTrainWorker" in " ".join(p.cmdline()))


def rank_here(corpus, config) -> Trainer:
    """The only rank of a run, in this process."""
    store = Store(corpus)
    read, samples = shard_samples(store, store.read_table(SAMPLES, COLUMNS), config.split, config.seed)
    return Trainer(config, SampleStream(read, samples, batch_size=config.batch_size))


def log_of(corpus) -> list[dict]:
    return read_log(Store(corpus), "train/first")


def test_two_workers_train_on_shards(trained):
    corpus, report, _ = trained
    log, files = log_of(corpus), list(Store(corpus).files("train"))
    assert [row["step"] for row in log] == list(range(1, 25))
    assert (report.step, report.resumed_at, report.checkpoint) == (24, 0, "train/first/step_000024")
    assert report.last_loss < 0.8 * report.first_loss
    heldout = {row["step"]: row["heldout_loss"] for row in log if "heldout_loss" in row}
    assert sorted(heldout) == [8, 16, 24]
    assert report.heldout_loss == heldout[24] < heldout[8]
    complete = {path.split("/")[2] for path in files if path.endswith(MANIFEST)}
    assert complete == {"step_000008", "step_000016", "step_000024"}
    assert {path.rsplit(".", 1)[1] for path in files if "step_" in path} == {"safetensors", "json"}


def test_killed_worker_takes_the_run_back_to_its_checkpoint_and_no_further(trained):
    corpus, _, rows = trained
    seen = [row["step"] for row in rows]
    assert sorted(set(seen)) == list(range(1, 25))
    assert len(seen) > 24, "no step was done again: the worker was killed too late"
    assert [seen.count(step) for step in range(1, 9)] == [1] * 8
    # A step done again gives the same loss, to the bit.
    assert len({(row["step"], row["loss"]) for row in rows}) == 24


def test_two_ranks_do_what_one_does(trained):
    corpus, report, _ = trained
    one, two = rank_here(corpus, CONFIG), rank_here(corpus, CONFIG)
    losses = [step.loss for step in one.train_steps()]
    assert [row["loss"] for row in log_of(corpus)] == pytest.approx(losses, rel=1e-3)
    # The weights too: gradients are summed over the tokens of all ranks.
    two.load(Store(corpus), report.checkpoint)
    for (name, a), b in zip(one.model.named_parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3, msg=lambda text, name=name: f"{name}: {text}")


def test_run_that_is_done_is_left_alone(trained):
    corpus, report, _ = trained
    rows = []
    again = train(corpus, CONFIG, rows.append)
    assert rows == []
    assert (again.resumed_at, again.step, again.samples_per_s) == (24, 24, None)
    assert again.last_loss == report.last_loss


def test_interrupted_run_goes_on_with_another_number_of_workers(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "corpus")
    shutil.rmtree(tmp_path / "corpus" / "train")
    store = Store(tmp_path / "corpus")
    handler = signal.getsignal(signal.SIGINT)

    def interrupt(row):
        if row["step"] == 9:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(store.root, CONFIG.model_copy(update={"workers": 1, "steps": 5000}), interrupt)
    assert signal.getsignal(signal.SIGINT) is handler
    # Whatever Ray had noted of the run when it ended is no hindrance, nor is half of a checkpoint.
    store.write_bytes("train/first/checkpoint_manager_snapshot.json", b'{"ray')
    store.write_bytes("train/first/step_004999/model.safetensors", b"")
    folder = last_checkpoint(store, "train/first")
    step = store.read_json(f"{folder}/{MANIFEST}")["step"]
    config = CONFIG.model_copy(update={"steps": step + 4})
    alone = rank_here(store.root, config)
    alone.load(store, folder)
    expected = [s.loss for s in alone.train_steps()]
    seen = []
    report = train(store.root, config, seen.append)
    assert (report.resumed_at, report.step) == (step, step + 4)
    assert [row["step"] for row in seen] == list(range(step + 1, step + 5))
    assert [row["loss"] for row in seen] == pytest.approx(expected, rel=1e-3)
    assert [row["step"] for row in log_of(store.root)] == list(range(1, step + 5))


def test_other_settings_are_refused_before_anything_starts(trained):
    with pytest.raises(ConfigError, match="stands at step 24 .*learning_rate was 0.01 and is 0.5. Set them back"):
        train(trained[0], CONFIG.model_copy(update={"learning_rate": 0.5}))


def test_split_without_samples_is_named(corpus):
    with pytest.raises(ValueError, match=r"split = 'test': no samples; there are: .*train \(20\)"):
        train(corpus, CONFIG.model_copy(update={"split": "test"}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"workers": 3, "batch_size": 8}, "workers = 3: .*must divide batch_size = 8"),
        ({"run": "../elsewhere"}, "run = '../elsewhere'"),
        ({"checkpoint_every": 0}, "checkpoint_every = 0"),
    ],
    ids=["workers", "run", "checkpoint_every"],
)
def test_config_names_the_field_and_the_value(values, message):
    with pytest.raises(ConfigError, match=message):
        parse(TrainConfig, values)


def test_lines_for_the_eye_come_every_few_steps(capsys):
    from pipeline.train import _Printer

    show = _Printer(CONFIG)
    for step in range(1, 11):
        show({"step": step, "loss": 5 - step / 4, "seconds": 0.25} | ({"heldout_loss": 3.5} if step == 10 else {}))
    assert capsys.readouterr().out.splitlines() == [
        "step 4  loss 4.00  16.0 samples/s",
        "step 8  loss 3.00  16.0 samples/s",
        "step 10  loss 2.50  held-out 3.50  16.0 samples/s",
    ]
