"""A build killed at any moment and run again gives the corpus of one never interrupted, to the byte."""

import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.pipeline.command_line import finish, start
from tests.pipeline.worlds import contents, small_world

pytestmark = pytest.mark.ray


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


def command(process: psutil.Process) -> str:
    """What a process calls itself: Ray's workers say at what they are."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def kill_child(process: subprocess.Popen, kind: str, chance: random.Random) -> bool:
    """SIGKILL to a worker that is at a stage, or to a decoder; whether there was one."""
    family = psutil.Process(process.pid).children(recursive=True)
    victims = [child for child in family if MARKS[kind] in command(child)]
    if victims:
        with suppress(psutil.NoSuchProcess):
            chance.choice(victims).kill()
    return bool(victims)


MARKS = {"worker": "MapBatches(", "decoder": "workers.media.tasks"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def whole(world, tmp_path_factory):
    """A corpus never interrupted."""
    corpus = tmp_path_factory.mktemp("whole")
    finish(start(world, corpus))
    return contents(corpus)


def build_with_kills(world: Path, corpus: Path, kinds: list[str], chance: random.Random, *options: str) -> None:
    """Kills one of each kind in turn, at random moments; a build whose driver was killed is gone on with."""
    process = start(world, corpus, *options)
    for number, kind in enumerate(kinds):
        time.sleep(chance.uniform(0, 12 if kind == "driver" else 2))
        if kind == "driver":
            kill_driver(process)
            process = start(world, corpus, *options)
            continue
        while not kill_child(process, kind, chance):
            assert process.poll() is None, f"done after {number} kills: {process.stdout.read()}"
            time.sleep(0.05)
    finish(process)


def shuffled(chance: random.Random, **counts: int) -> list[str]:
    return chance.sample(list(counts), sum(counts.values()), counts=list(counts.values()))


def test_killed_workers_and_decoders_do_not_end_the_build(world, whole, tmp_path):
    build_with_kills(world, tmp_path, ["decoder", "decoder", "worker", "worker"], random.Random(3))
    assert contents(tmp_path) == whole


def test_killed_and_run_again_the_corpus_is_the_same_to_the_byte(world, whole, tmp_path):
    build_with_kills(world, tmp_path, ["driver", "worker", "driver"], random.Random(1))
    assert contents(tmp_path) == whole


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_fifty_kills_over_one_build(tmp_path):
    # A unit hit by chance again and again within one run would be given up, as one that kills its worker is.
    options = ("max_crashes=50", "shard.segment_s=4.0", "shard.fps=8.0")
    world, chance = small_world(tmp_path / "world", videos=8, seconds=200), random.Random(2)
    finish(start(world, tmp_path / "whole", *options))
    # Decoders are there in the first phase only.
    kinds = shuffled(chance, worker=8, decoder=18, driver=5) + shuffled(chance, worker=14, driver=5)
    build_with_kills(world, tmp_path / "killed", kinds, chance, *options)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("signum", "word", "code"), [(signal.SIGINT, "Interrupted", 130), (signal.SIGTERM, "Terminated", 143)]
)
def test_signal_ends_a_build_with_one_line_and_it_goes_on_when_run_again(world, whole, tmp_path, signum, word, code):
    process = start(world, tmp_path)
    while not list(tmp_path.glob("units/download/*/*/*.parquet")):
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signum)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code
    lines = [line for line in said.splitlines() if line and not line.startswith("download: ")]
    assert lines == [
        "ingest: download -> shard -> decode -> embed for 3 units",
        f"{word}. What is committed stays: run the same command again to go on.",
    ]
    finish(start(world, tmp_path))
    assert contents(tmp_path) == whole
