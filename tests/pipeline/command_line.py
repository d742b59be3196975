"""Commands as a user types them: builds in a process with a Ray session of their own, others within this one."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from pipeline import cli
from tests.pipeline.worlds import SMALL

ROOT = Path(__file__).resolve().parents[2]


def start(
    manifest: str | Path, corpus: str | Path, *overrides: str, python_path: Path | None = None
) -> subprocess.Popen:
    """A demo build of short segments, on its way."""
    options = [word for text in (*SMALL, *overrides) for word in ("--set", text)]
    command = ["build", "--manifest", str(manifest), "--out", str(corpus), "--recipe", "demo", *options]
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    environment["COLUMNS"] = "200"  # else lines are wrapped
    if python_path:
        environment["PYTHONPATH"] = os.pathsep.join([str(python_path), environment.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        # Where the tests run in the background of a shell, interrupts are ignored, by their children too.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def run(*words: str | Path) -> int:
    """Runs a command within this process; gives its exit code. What it printed, pytest has captured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["longvid", *map(str, words)])
        try:
            cli.run()
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0


def finish(process: subprocess.Popen, timeout_s: float = 600) -> str:
    """What the build said; it must end well."""
    said, _ = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, said
    return said
