"""A build killed at any moment and run again gives the corpus of one never interrupted, to the byte."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.pipeline.worlds import SMALL, contents, small_world

ROOT = Path(__file__).resolve().parents[2]


def start(manifest: Path, corpus: Path) -> subprocess.Popen:
    options = [word for text in SMALL for word in ("--set", text)]
    command = ["build", "--manifest", str(manifest), "--out", str(corpus), "--recipe", "demo", *options]
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )


def finish(process: subprocess.Popen) -> str:
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def kill_driver(process: subprocess.Popen) -> None:
    """SIGKILL to the driver; then to what is left of its Ray session, as a machine that goes down would."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for child in family:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    process.stdout.close()


def title(process: psutil.Process) -> str:
    """What a process calls itself: Ray's workers say at what they are."""
    try:
        return " ".join(process.cmdline()[:1])
    except psutil.Error:
        return ""


def kill_worker(process: subprocess.Popen, chance: random.Random) -> bool:
    """SIGKILL to one worker that is at a stage; whether there was one."""
    working = [child for child in psutil.Process(process.pid).children(recursive=True) if "MapBatches(" in title(child)]
    if working:
        chance.choice(working).kill()
    return bool(working)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def whole(world, tmp_path_factory):
    """A corpus never interrupted, and how long it took."""
    corpus = tmp_path_factory.mktemp("whole")
    begun = time.monotonic()
    finish(start(world, corpus))
    return contents(corpus), time.monotonic() - begun


def build_with_kills(world: Path, corpus: Path, seconds: float, kills: int, seed: int) -> str:
    chance = random.Random(seed)
    for _ in range(kills):
        process = start(world, corpus)
        try:
            process.wait(timeout=chance.uniform(0.2, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            if chance.random() < 0.5:
                kill_worker(process, chance)
                time.sleep(1)
            kill_driver(process)
        else:
            process.communicate()
    return finish(start(world, corpus))


@pytest.mark.parametrize(("kills", "seed"), [(3, 1), pytest.param(10, 2, marks=pytest.mark.soak)])
def test_killed_and_run_again_the_corpus_is_the_same_to_the_byte(world, whole, tmp_path, kills, seed):
    expected, seconds = whole
    build_with_kills(world, tmp_path, seconds, kills, seed)
    assert contents(tmp_path) == expected


def test_a_killed_worker_does_not_end_the_build(world, whole, tmp_path):
    expected, _ = whole
    process, chance, killed = start(world, tmp_path), random.Random(3), 0
    while process.poll() is None and killed < 2:
        time.sleep(1)
        killed += kill_worker(process, chance)
    finish(process)
    assert killed
    assert contents(tmp_path) == expected


def test_interrupted_it_says_how_to_go_on(world, tmp_path):
    process = start(world, tmp_path)
    while not list(tmp_path.glob("units/download/*/*/*.parquet")):
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again to go on" in said
    assert "Traceback" not in said
