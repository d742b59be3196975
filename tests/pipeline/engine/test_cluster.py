"""Addresses of clusters that do not answer."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ray

ROOT = Path(__file__).resolve().parents[3]
CONNECT = """
from pipeline.engine.cluster import ClusterUnreachable, ray_session
try:
    with ray_session(): pass
except ClusterUnreachable as error:
    print(error)
"""


@pytest.fixture
def silent_port():
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def connect(address: str) -> str:
    """What a session says to the address, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CONNECT],
        cwd=ROOT,
        env={**os.environ, "RAY_ADDRESS": address},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_closed_port_is_named(closed_port):
    said = connect(f"127.0.0.1:{closed_port}")
    assert said.startswith(f"RAY_ADDRESS = '127.0.0.1:{closed_port}': cannot connect: ")
    assert "refused. Start a cluster there, or unset RAY_ADDRESS" in said


def test_port_that_never_answers_is_given_up(silent_port):
    said = connect(f"127.0.0.1:{silent_port}")
    assert said.startswith(f"RAY_ADDRESS = '127.0.0.1:{silent_port}': cannot connect: no Ray cluster answered in 20 s.")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:8265", "that is a dashboard"),
        ("no-such-host.invalid:6379", ""),
        ("nonsense", "Invalid address format: nonsense. Start"),
    ],
)
def test_address_that_is_none_is_named(address, reason):
    assert connect(address).startswith(f"RAY_ADDRESS = '{address}': cannot connect: {reason}")
