"""Addresses of clusters that do not answer."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ray

ROOT = Path(__file__).resolve().parents[3]
# A process of its own, since there is none of another test's session in it. The last address takes connections and
# never answers; how long it is waited for is no matter of this test.
CONNECT = """
import os, sys
from pipeline.engine import cluster

*addresses, silent = sys.argv[1:]
for address in (*addresses, silent):
    os.environ["RAY_ADDRESS"] = address
    if address == silent:
        cluster.CONNECT_TIMEOUT_S = 2
    try:
        with cluster.ray_session():
            pass
    except cluster.ClusterUnreachable as error:
        print(error)
"""
NO_CLUSTERS = ["http://127.0.0.1:8265", "no-such-host.invalid:6379", "nonsense"]


@pytest.fixture(scope="module")
def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def silent_port():
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def said(closed_port, silent_port) -> dict[str, str]:
    """What a session says to each address."""
    addresses = [f"127.0.0.1:{closed_port}", *NO_CLUSTERS, f"127.0.0.1:{silent_port}"]
    command = [sys.executable, "-c", CONNECT, *addresses]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(zip(addresses, done.stdout.splitlines(), strict=True))


def test_closed_port_is_named(said, closed_port):
    message = said[f"127.0.0.1:{closed_port}"]
    assert message.startswith(f"RAY_ADDRESS = '127.0.0.1:{closed_port}': cannot connect: ")
    assert "refused. Start a cluster there, or unset RAY_ADDRESS" in message


def test_port_that_never_answers_is_given_up(said, silent_port):
    message = said[f"127.0.0.1:{silent_port}"]
    assert message.startswith(
        f"RAY_ADDRESS = '127.0.0.1:{silent_port}': cannot connect: no Ray cluster answered in 2 s."
    )


@pytest.mark.parametrize(
    ("address", "reason"),
    zip(NO_CLUSTERS, ["that is a dashboard", "", "Invalid address format: nonsense. Start"], strict=True),
)
def test_address_that_is_none_is_named(said, address, reason):
    assert said[address].startswith(f"RAY_ADDRESS = '{address}': cannot connect: {reason}")
