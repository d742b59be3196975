"""Tries all attacks on a real sandbox of this machine."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from workers.sandbox.attacks import ATTACKS, MARK, Target
from workers.sandbox.client import Sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits


def layers() -> frozenset[str]:
    """The layers of `workers.sandbox.lockdown` that this machine has."""
    with closing(Sandbox("workers.sandbox.attacks", SandboxLimits())) as box:
        list(box.call("report", b"x"))
        return box.layers


def attack_all() -> dict[str, bool | None]:
    """For each attack whether it was refused; None where it succeeded, but none of its layers is there to refuse it."""
    found: dict[str, bool | None] = {}
    with _target() as target, closing(Sandbox("workers.sandbox.attacks", SandboxLimits())) as box:
        for name, attack in ATTACKS.items():
            try:
                ((answer, _),) = box.call("attack", b"x", name=name, target=list(target))
                refused = answer["refused"] is not None
            except SandboxError:  # it became another program, or somebody was killed
                refused = False
            checked = refused or box.layers & set(attack.layers)
            found[name] = refused if checked else None
    return found


@contextmanager
def _target() -> Iterator[Target]:
    """A process with a key in its environment, and what else an attack may hit."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        Path(folder, "victim").touch()
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = tcp.getsockname()[1]
        path = str(Path(folder, "socket"))
        addresses = [path, f"\0longvid-{port}"] if sys.platform == "linux" else [path]
        for address in addresses:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        os.environ[MARK] = "a key"
        stack.callback(os.environ.pop, MARK)
        yield Target(os.getpid(), port, folder, path)
