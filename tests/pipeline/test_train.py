import os
import shutil
import signal

import psutil
import pytest

from pipeline.train import TrainConfig, train
from schemas.config import ConfigError, parse
from tests.tiny_samples import TINY
from tests.workers.shard_units import pack, write_video
from workers.checkpoint import MANIFEST, last_checkpoint, read_log
from workers.storage import Store

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


@pytest.fixture(autouse=True)
def polled_often(monkeypatch):
    # Ray looks after its workers every two seconds, which is longer than these runs.
    monkeypatch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    """A corpus of 20 samples to train on and 10 held out."""
    store = Store(tmp_path_factory.mktemp("corpus"))
    videos = [write_video(store, number) | {"split": "val" if number < 2 else "train"} for number in range(6)]
    pack(store, videos)
    return store.root


@pytest.fixture(scope="module")
def trained(corpus, ray_session):
    """The corpus after an undisturbed run of two workers, the run's report and the rows its driver was given."""
    rows = []
    return corpus, train(corpus, CONFIG, rows.append), rows


def copied(corpus, folder) -> Store:
    shutil.copytree(corpus, folder / "corpus")
    return Store(folder / "corpus")


def curve(store) -> list[float]:
    return [row["loss"] for row in read_log(store, "train/first")]


def heldout(store) -> dict[int, float]:
    return {r["step"]: r["heldout_loss"] for r in read_log(store, "train/first") if "heldout_loss" in r}


def test_two_workers_train_on_shards(trained):
    corpus, report, rows = trained
    store = Store(corpus)
    assert [row["step"] for row in rows] == list(range(1, 25))
    assert rows == read_log(store, "train/first")
    assert (report.step, report.resumed_at, report.checkpoint) == (24, 0, "train/first/step_000024")
    assert report.last_loss < 0.8 * report.first_loss
    assert sorted(heldout(store)) == [8, 16, 24]
    assert report.heldout_loss == heldout(store)[24] < heldout(store)[8]
    folders = {path.split("/")[2] for path in store.files("train/first") if path.endswith(MANIFEST)}
    assert folders == {"step_000008", "step_000016", "step_000024"}
    assert not [path for path in store.files("train") if path.endswith((".pt", ".pkl", ".bin"))]


def test_run_that_is_done_is_left_alone(trained):
    corpus, report, _ = trained
    rows = []
    again = train(corpus, CONFIG, rows.append)
    assert rows == []
    assert (again.resumed_at, again.step, again.samples_per_s) == (24, 24, None)
    assert again.last_loss == report.last_loss


def test_killed_worker_takes_the_run_back_to_its_checkpoint_and_no_further(trained, tmp_path):
    store = copied(trained[0], tmp_path)
    shutil.rmtree(tmp_path / "corpus" / "train")
    seen, killed = [], []

    def kill_one(row):
        seen.append(row["step"])
        if row["step"] == 9 and not killed:
            killed.append(train_workers()[-1])
            os.kill(killed[0], signal.SIGKILL)

    train(store.root, CONFIG, kill_one)
    assert len(seen) > 24, "no step was done again: the worker was killed too late"
    assert sorted(set(seen)) == list(range(1, 25))
    assert [seen.count(step) for step in range(1, 9)] == [1] * 8
    assert curve(store) == curve(Store(trained[0]))
    assert heldout(store) == heldout(Store(trained[0]))


def train_workers() -> list[int]:
    """Processes of Ray Train's workers below this one's Ray session."""
    found = [p for p in psutil.process_iter(["cmdline"]) if "RayTrainWorker" in " ".join(p.info["cmdline"] or [])]
    ours = {p.pid for p in psutil.Process().children(recursive=True)}
    return sorted(p.pid for p in found if p.pid in ours)


def test_another_number_of_workers_goes_on_with_the_same_losses(trained, tmp_path):
    store = copied(trained[0], tmp_path)
    # As a driver leaves it that was killed while it wrote the second checkpoint.
    for step in ("step_000016", "step_000024"):
        store.delete(f"train/first/{step}/{MANIFEST}")
    store.write_bytes("train/first/checkpoint_manager_snapshot.json", b'{"ray')
    assert last_checkpoint(store, "train/first") == "train/first/step_000008"
    report = train(store.root, CONFIG.model_copy(update={"workers": 1}), lambda row: None)
    assert report.resumed_at == 8
    assert curve(store)[:8] == curve(Store(trained[0]))[:8]
    assert curve(store) == pytest.approx(curve(Store(trained[0])), rel=1e-3)
    assert heldout(store) == pytest.approx(heldout(Store(trained[0])), rel=1e-3)


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
