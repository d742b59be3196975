"""SIGINT and SIGTERM to real processes: what each says, its exit code, and that nothing holds it."""

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAD = """
import hashlib, sys, time
from pipeline import stop_signals
from pipeline.stop_signals import ended_by_signals

def wait():
    print("ready", flush=True)
    time.sleep(600)

with ended_by_signals("Run again."):
"""
ENDS = [(signal.SIGINT, "Interrupted", 130), (signal.SIGTERM, "Terminated", 143)]


def run(body: str, *signals: signal.Signals, before: signal.Handlers = signal.SIG_DFL) -> tuple[int, str]:
    """Runs the body of the block; it prints "ready" when the signals shall come. Gives exit code and output."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    process = subprocess.Popen(
        [sys.executable, "-c", HEAD + lines],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, before),
    )
    try:
        said = process.stdout.readline()
        for signum in signals:
            process.send_signal(signum)
        said += process.communicate(timeout=300)[0]
    finally:
        process.kill()
        process.wait()
    return process.returncode, said


@pytest.mark.parametrize(("signum", "word", "code"), ENDS)
def test_block_is_left_and_the_process_ends_with_one_line(signum, word, code):
    body = "try:\n    wait()\nfinally:\n    print('closed')"
    assert run(body, signum) == (code, f"ready\nclosed\n\n{word}. Run again.\n")


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    wait()\nexcept KeyboardInterrupt:\n    pass",
        "try:\n    wait()\nexcept KeyboardInterrupt:\n    raise OSError('lost')",
        "try:\n    wait()\nexcept KeyboardInterrupt:\n    sys.exit(0)",
        "try:\n    wait()\nexcept KeyboardInterrupt:\n    time.sleep(600)",
        "print('ready', flush=True)\nhashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)",
    ],
    ids=["swallowed", "another error", "another exit", "goes on", "stuck in C"],
)
def test_whatever_the_code_does_the_process_ends_as_terminated(body):
    body = f"stop_signals.GRACE_S = 0.5\n{body}"
    assert run(body, signal.SIGTERM) == (143, "ready\n\nTerminated. Run again.\n")


def test_further_signals_do_not_disturb_the_end():
    body = "try:\n    wait()\nfinally:\n    time.sleep(0.5)\n    print('closed')"
    said = run(body, signal.SIGTERM, signal.SIGTERM, signal.SIGTERM)
    assert said == (143, "ready\nclosed\n\nTerminated. Run again.\n")


def test_ignored_interrupt_stays_ignored():
    body = "print('ready', flush=True)\ntime.sleep(1)\nprint('done')"
    assert run(body, signal.SIGINT, before=signal.SIG_IGN) == (0, "ready\ndone\n")
