"""`longvid train` as a user runs it: in a process and a Ray session of its own."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from pipeline.build import describe
from pipeline.inputs.recipe import load_recipe
from pipeline.train import SAMPLES
from pipeline.training.run_key import run_key
from tests.pipeline.command_line import ROOT, run
from tests.tiny_samples import TINY
from tests.workers.shards.shard_units import pack, write_video
from workers.shards.sample_reader import COLUMNS
from workers.storage.store import Store
from workers.training.manifest import checkpoint_folder, last_checkpoint
from workers.training.run_log import read_log, write_log
from workers.training.sample_stream import SampleStream, shard_samples
from workers.training.trainer import Trainer

SIZES = [f"train.model.{name}={asdict(TINY)[name]}" for name in ("width", "layers", "heads", "feedforward_width")]
RECORDED = [
    *SIZES,
    "train.workers=1",
    "train.steps=3000",
    "train.checkpoint_every=5",
    "train.heldout_samples=0",
    "train.log_every=1",
]


@pytest.fixture
def corpus(tmp_path) -> Store:
    """Of 10 samples, built with a recipe that says how to train."""
    store = Store(tmp_path / "corpus")
    pack(store, [write_video(store, number) for number in range(2)], val_fraction=0.0)
    describe(store, load_recipe("demo", RECORDED))
    return store


def start(corpus: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "train", corpus],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_a_checkpoint(process: subprocess.Popen, store: Store, after: str | None) -> None:
    while last_checkpoint(store, "train/first") in (None, after):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)


@pytest.mark.ray
def test_signals_end_it_with_one_line_and_it_goes_on_when_run_again(corpus):
    stopped_at = None
    for signum, word, code in [(signal.SIGTERM, "Terminated", 143), (signal.SIGINT, "Interrupted", 130)]:
        process = start(corpus.root)
        wait_for_a_checkpoint(process, corpus, stopped_at)
        process.send_signal(signum)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == code
        # A busy machine takes long to start the workers, and the user is told.
        *steps, blank, last = [line for line in said.splitlines() if line != "waiting for 1 workers to start"]
        assert steps and all(line.startswith("step ") for line in steps), said
        assert (blank, last) == ("", f"{word}. Finished units are kept: run the same command again to continue.")
        if stopped_at:  # it did not start again
            assert f"step {int(stopped_at.rsplit('_')[-1]) + 1} " in steps[0] + " "
        stopped_at = last_checkpoint(corpus, "train/first")
    assert [row["step"] for row in read_log(corpus, "train/first")] == list(
        range(1, int(stopped_at.rsplit("_")[-1]) + 1)
    )


def test_run_without_room_is_refused_with_one_line(corpus, capsys, ray_session):
    assert run("train", corpus.root, "--set", "train.workers=64", "--set", "train.batch_size=64") == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: train.workers = 64, ") and said.err.count("\n") == 1
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["--set", "train.model.language_model=nowhere"],
            f"error: train.model.language_model = '{Path.cwd()}/nowhere': there is no such folder",
        ),
        (
            ["--set", "train.workers=2", "--set", "train.batch_size=5"],
            "error: train.workers = 2: must divide batch_size = 5\n",
        ),
        (["--set", "train.model.max_visual_tokens=3"], "error: train.model.max_visual_tokens = 3: the keyframes"),
        (["--set", "train.split=test"], "error: split = 'test': no samples; there are: train (10)\n"),
        (["--recipe", "nowhere"], "error: recipe = 'nowhere': no such recipe or file."),
    ],
)
def test_mistake_is_one_line(words, error, corpus, capsys, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "nothing-may-ask.invalid:1")
    assert run("train", corpus.root, *words) == 2
    said = capsys.readouterr()
    assert said.err.startswith(error) and said.err.count("\n") == 1
    assert said.out == ""


def test_missing_folder_is_one_line(tmp_path, capsys):
    assert run("train", tmp_path / "nowhere") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {tmp_path}/nowhere: no corpus there: run `longvid build") and said.count("\n") == 1


def test_recipe_is_that_of_the_corpus_unless_another_is_named(corpus, capsys):
    """Of which one asks for one worker, the other for two. Both end before Ray is started."""
    wrong = ["--set", "train.batch_size=5", "--set", "train.split=test"]
    assert run("train", corpus.root, *wrong) == 2
    assert "split = 'test': no samples" in capsys.readouterr().err
    assert run("train", corpus.root, "--recipe", "demo", *wrong) == 2
    assert "train.workers = 2: must divide batch_size = 5" in capsys.readouterr().err


def test_a_published_corpus_asks_for_a_recipe(corpus, capsys):
    corpus.delete("corpus.json")
    corpus.delete_folder("units")
    assert run("train", corpus.root) == 2
    said = capsys.readouterr().err
    assert "is published without the recipe that it was built with: name one with --recipe: demo" in said
    assert run("train", corpus.root, "--recipe", "demo", "--set", "train.split=test") == 2
    assert "split = 'test': no samples" in capsys.readouterr().err


def one_step_without_ray(corpus: Store) -> None:
    """What a run of one step leaves."""
    config = load_recipe("demo", [*RECORDED, "train.steps=1"]).train
    read, samples = shard_samples(corpus, corpus.read_table(SAMPLES, COLUMNS), config.split, config.seed)
    trainer = Trainer(config, SampleStream(read, samples, batch_size=config.batch_size))
    write_log(corpus, config.folder, [asdict(step) for step in trainer.train_steps()])
    trainer.save(corpus, checkpoint_folder(config.folder, 1), run_key(config.run))


def test_raised_steps_and_runs_of_others_ask_for_a_word(corpus, capsys, ray_session, monkeypatch, tmp_path):
    one_step_without_ray(corpus)
    assert run("train", corpus.root, "--set", "train.steps=2") == 2
    assert "train.steps was 1 and is 2" in capsys.readouterr().err
    assert run("train", corpus.root, "--set", "train.steps=2", "--extend") == 0
    assert "trained: run first, steps 1 to 2" in capsys.readouterr().out
    recorded = corpus.read_json("train/first/step_000002/checkpoint.json")
    assert recorded["same"]["model"]["width"] == TINY.width != load_recipe("demo").train.model.width
    monkeypatch.setenv("LONGVID_STATE_DIR", str(tmp_path / "of someone else"))
    assert run("train", corpus.root, "--set", "train.steps=2") == 2
    assert "not written by this user" in capsys.readouterr().err
    assert run("train", corpus.root, "--set", "train.steps=2", "--resume") == 0
    assert run("train", corpus.root, "--set", "train.steps=2") == 0
