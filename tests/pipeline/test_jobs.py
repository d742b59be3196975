"""`ray job submit` against a head node of its own builds a corpus."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.pipeline.worlds import SMALL, contents

pytestmark = pytest.mark.ray

ROOT = Path(__file__).resolve().parents[2]
RAY = str(Path(sys.executable).with_name("ray"))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def head():
    """Address and environment of a head node with job submission."""
    port, dashboard = free_port(), free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "longvid-test-token-0123456789abcdef"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    # Not pytest's folder: the path of a socket below it would be too long.
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        command = [RAY, "start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}", "--num-cpus=3"]
        # The agent that takes jobs has a fixed port by default, which the session of the other tests holds.
        command += [f"--dashboard-agent-listen-port={free_port()}", f"--dashboard-agent-grpc-port={free_port()}"]
        command += [f"--temp-dir={folder}", "--object-store-memory=150000000", "--disable-usage-stats"]
        with (Path(folder) / "log").open("w") as log:
            node = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{dashboard}"
            wait_for(address, node, Path(folder) / "log")
            yield address, environment
        finally:
            # Asked to end, Ray waits half a minute for its own processes.
            family = [*psutil.Process(node.pid).children(recursive=True), node]
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            node.wait()


def wait_for(address: str, node: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        assert node.poll() is None, log.read_text()
        try:
            httpx.get(f"{address}/api/version", timeout=2)
            return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise AssertionError(f"no dashboard at {address}: {log.read_text()}")


def test_a_submitted_job_builds_a_corpus(head, small_corpus, tmp_path):
    """One whose first and last stages are left to do: the others cost most, and know nothing of the job."""
    address, environment = head
    corpus = shutil.copytree(small_corpus.corpus, tmp_path / "corpus")
    for folder in ("units/download", "units/shard", "units/annotate", "units/pack", "shards", "tables"):
        shutil.rmtree(corpus / folder)
    options = [word for text in SMALL for word in ("--set", text)]
    build = ["python", "-m", "pipeline", "build", "--manifest", str(small_corpus.manifest), "--out", str(corpus)]
    submit = [
        RAY,
        "job",
        "submit",
        "--address",
        address,
        "--working-dir",
        ".",
        "--",
        *build,
        "--recipe",
        "demo",
        *options,
    ]
    for _ in range(20):
        done = subprocess.run(submit, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=800)
        if "No available agent" not in done.stderr:  # the head takes jobs some seconds after its dashboard answers
            break
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "succeeded" in done.stdout
    assert contents(corpus) == contents(small_corpus.corpus)
