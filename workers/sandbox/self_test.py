"""Finds out which layers the sandbox has on this machine."""

from collections.abc import Iterator
from contextlib import closing

from workers.sandbox.client import Sandbox
from workers.sandbox.limits import SandboxLimits
from workers.sandbox.task import Message, Task


def layers() -> frozenset[str]:
    """Returns the layers of `workers.sandbox.lockdown` that this machine has."""
    with closing(Sandbox(__name__, SandboxLimits())) as box:
        list(box.call("empty", b"x"))
        return box.layers


def _empty(file: int) -> Iterator[Message]:
    """Yields one empty message; the layers are sent before it."""
    yield {}, b""


TASKS: dict[str, Task] = {"empty": _empty}
