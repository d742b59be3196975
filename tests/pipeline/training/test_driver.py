"""What ends a run before its last step, on Ray: each is told once, and only lost workers are started again."""

import os
import signal
import time

import pytest
import ray
from ray._private.state import actors
from ray.util import placement_group_table

from pipeline.engine.compose import ClusterTooSmall
from pipeline.train import train
from pipeline.training import driver
from pipeline.training.config import TrainConfig
from pipeline.training.driver import TrainingFailed, check_fits, remove_records, run_ranks
from tests.pipeline.train_workers import train_workers
from tests.tiny_samples import TINY
from tests.workers.shards.shard_units import pack, write_video
from workers.storage.files import PathError
from workers.storage.store import Store

CONFIG = TrainConfig(
    model=TINY, workers=1, steps=8, batch_size=4, checkpoint_every=4, heldout_samples=0, cpus_per_worker=0.5
)


@pytest.fixture
def corpus(tmp_path) -> Store:
    store = Store(tmp_path / "corpus")
    pack(store, [write_video(store, number) for number in range(3)], val_fraction=0.0)
    return store


@pytest.fixture(autouse=True)
def looks_after_workers_often(monkeypatch):
    monkeypatch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")


def with_settings(**settings) -> TrainConfig:
    return CONFIG.model_copy(update=settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 9}, r"train.workers = 9, .*room for 8 \(4 CPUs, 0 GPUs\): .*lower train.workers"),
        ({"workers": 1, "cpus_per_worker": 5.0}, "cpus_per_worker = 5 .*room for 0"),
        ({"use_gpu": True}, "use_gpu = true: the cluster has room for 0"),
    ],
    ids=["workers", "cores", "GPUs"],
)
def test_run_that_has_no_room_is_refused(settings, message, ray_session):
    check_fits(with_settings(workers=8))
    with pytest.raises(ClusterTooSmall, match=message):
        check_fits(with_settings(**settings))


def test_no_record_of_ray_is_written_through_a_link(tmp_path):
    others = tmp_path / "others"
    others.write_text("kept")
    for name in ("checkpoint_manager_snapshot.json", ".validate_storage_marker", "error.txt"):
        record = tmp_path / "corpus" / CONFIG.folder / name
        record.parent.mkdir(parents=True, exist_ok=True)
        record.symlink_to(others)
        with pytest.raises(PathError, match=f"{name}': a symbolic link leads out"):
            remove_records(Store(tmp_path / "corpus"), CONFIG.folder)
        record.unlink()
    assert others.read_text() == "kept"


def failure(corpus: Store, **settings) -> tuple[str, list[int]]:
    """What a run that must fail says, and the steps that were done before."""
    steps: list[int] = []
    with pytest.raises(TrainingFailed) as failed:
        train(corpus.root, with_settings(**settings), lambda row: steps.append(row["step"]))
    assert "\n" not in str(failed.value)
    return str(failed.value), steps


def test_checkpoint_that_cannot_be_written_ends_the_run_at_once(corpus, ray_session):
    corpus.write_bytes("train/first/step_000004", b"a file where the folder shall be")
    said, steps = failure(corpus, workers=2)  # the other rank waits for the one that writes
    assert said.startswith("run first: ") and f"{corpus.root}/train/first/step_000004" in said
    assert steps == [1, 2, 3, 4]


def test_fault_of_the_code_ends_the_run_at_once_and_keeps_its_traceback(corpus, ray_session):
    no_key: bytes = None  # type: ignore[assignment] - as if the driver forgot it
    steps: list[int] = []
    with pytest.raises(TrainingFailed) as failed:
        run_ranks(
            corpus, with_settings(run="faulty", checkpoint_every=1), no_key, lambda row: steps.append(row["step"])
        )
    assert steps == [1]
    said = str(failed.value)
    assert said.startswith("run faulty: TypeError: ") and said.endswith(" (traceback: train/faulty/error.txt)")
    assert "Traceback" in corpus.read_bytes("train/faulty/error.txt").decode()


def until_free(cpus: float) -> None:
    """Waits until the session has this room again; the test's time limit ends it."""
    while ray.available_resources().get("CPU", 0) < cpus:
        time.sleep(0.1)


def test_run_that_is_stopped_before_its_workers_report_leaves_its_room(corpus, ray_session, monkeypatch):
    def stop(fit, inbox, config):
        while all(group["state"] == "REMOVED" for group in placement_group_table().values()):
            time.sleep(0.01)
        raise KeyboardInterrupt
        yield

    free = ray.available_resources()["CPU"]
    monkeypatch.setattr(driver, "_reports", stop)
    with pytest.raises(KeyboardInterrupt):
        train(corpus.root, CONFIG)
    until_free(free)
    controllers = [actor["State"] for actor in actors().values() if actor["ActorClassName"] == "TrainController"]
    assert controllers and set(controllers) == {"DEAD"}


def test_workers_lost_too_often_end_the_run_and_one_that_goes_on_and_is_stopped_leaves_its_room(corpus, ray_session):
    free, config = ray.available_resources()["CPU"], with_settings(steps=100_000, max_failures=1)
    killed: list[set[int]] = []

    def kill(row):
        """The worker of the first group, and that of the group that takes its place."""
        group = train_workers()
        if row["step"] >= 5 and len(killed) < 2 and group and not any(group & former for former in killed):
            killed.append(group)
            os.kill(max(group), signal.SIGKILL)

    with pytest.raises(
        TrainingFailed, match=r"workers were lost more than train.max_failures = 1 times, at last: .*go on"
    ):
        train(corpus.root, config, kill)
    assert len(killed) == 2
    resumed_at: list[int] = []

    def stop(row):
        resumed_at.append(row["step"] - 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(corpus.root, config, stop)
    assert resumed_at[0] >= 4
    until_free(free)
    started = {actor["ActorClassName"] for actor in actors().values()}
    assert "TrainController" in started
    assert not started & {"PlacementGroupCleaner", "PreemptionWatcher"}  # without a cluster, nothing is to be watched
