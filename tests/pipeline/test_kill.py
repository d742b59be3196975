"""A build killed at any moment and run again gives the corpus of one never interrupted, to the byte."""

import random
import re
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


def kill_soon(process: subprocess.Popen, kind: str, chance: random.Random) -> None:
    """SIGKILL to a worker that is at a stage, or to a decoder, as soon as there is one after a random time."""
    time.sleep(chance.uniform(0, 2))
    victims: list[psutil.Process] = []
    while not victims:
        assert process.poll() is None, f"done without a {kind} to kill: {process.stdout.read()}"
        time.sleep(0.05)
        family = psutil.Process(process.pid).children(recursive=True)
        victims = [child for child in family if MARKS[kind] in command(child)]
    with suppress(psutil.NoSuchProcess):
        chance.choice(victims).kill()


PROGRESS = re.compile(r": \d+ (done|kept|rejected)")
MARKS = {"worker": "MapBatches(", "decoder": "workers.media.tasks"}


def build_with_kills(world: Path, corpus: Path, kinds: list[str], chance: random.Random, *options: str) -> None:
    """Kills one of each kind in turn, at random moments; a build whose driver was killed is gone on with."""
    process = start(world, corpus, *options)
    for kind in kinds:
        if kind == "driver":
            time.sleep(chance.uniform(0, 12))
            kill_driver(process)
            process = start(world, corpus, *options)
        else:
            kill_soon(process, kind, chance)
    finish(process)


def shuffled(chance: random.Random, **counts: int) -> list[str]:
    return chance.sample(list(counts), sum(counts.values()), counts=list(counts.values()))


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


def test_stopped_and_killed_in_all_ways_the_corpus_is_the_same_to_the_byte(small_corpus, tmp_path):
    world, chance = small_corpus.manifest, random.Random(3)
    stop_by_signal(start(world, tmp_path), signal.SIGINT, 130, "Interrupted", once=tmp_path / "units/download")
    process = start(world, tmp_path)
    for kind in ("decoder", "worker"):
        kill_soon(process, kind, chance)
    kill_driver(process)
    stop_by_signal(start(world, tmp_path), signal.SIGTERM, 143, "Terminated", once=tmp_path / "units/find_shots")
    process = start(world, tmp_path)
    kill_soon(process, "worker", chance)
    finish(process)
    assert contents(tmp_path) == contents(small_corpus.corpus)


def stop_by_signal(process: subprocess.Popen, signum: signal.Signals, code: int, word: str, once: Path) -> None:
    """Sends a signal once there is a unit in a folder: the build must end with one line that says how to go on."""
    while not list(once.rglob("*.*")):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.2)
    process.send_signal(signum)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == code, said
    *phases, last = [line for line in said.splitlines() if line and not PROGRESS.search(line)]
    assert all(re.fullmatch(r"\w+: .+ for \d+ units", line) for line in phases), said
    assert last == f"{word}. Finished units are kept: run the same command again to continue."
