"""Escapes that code in control of a sandbox process would try, as tasks of the sandbox, for `security` and the tests.

No attack does harm if it succeeds. Each is refused by any of its layers; if it succeeds on a kernel that has none of
them, it says nothing about the sandbox and counts as not checked.
"""

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import _attack_actions as do
from benchmarks._attack_actions import MARK, Target
from workers.sandbox.client import Sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits
from workers.sandbox.task import Message, Task


class Attack(NamedTuple):
    """An action of a hostile task, and the layers that refuse it."""

    layers: tuple[str, ...]
    run: Callable[[int, Target], Any]
    """Takes the descriptor of the file, and the target. Raises OSError or MemoryError if it is refused."""


_FILTER = ("seccomp",)
_FILES = ("seccomp", "landlock")
ATTACKS: dict[str, Attack] = {
    "connect by TCP": Attack(("seccomp", "landlock", "namespaces"), do.connect),
    "send a UDP datagram": Attack(("seccomp", "namespaces"), do.send_datagram),
    "connect to a Unix socket": Attack(_FILTER, do.connect_unix),
    "connect to an abstract socket": Attack(("seccomp", "namespaces"), do.connect_abstract),
    "write a file": Attack(_FILES, do.write_file),
    "write the file it reads": Attack(_FILES, do.write_own_file),
    "make a folder": Attack(_FILES, do.make_folder),
    "remove a file": Attack(_FILES, do.remove_file),
    "open /etc/passwd": Attack(("landlock",), do.read_passwords),
    "list the root folder": Attack(("landlock",), do.list_root),
    "read keys from the environment": Attack(("environment",), do.read_environment),
    "read the caller's environment": Attack(("landlock", "namespaces"), do.read_caller_environment),
    "use files the caller left open": Attack(("descriptors",), do.inherited_files),
    "execute a program": Attack(_FILES, do.execute),
    "fork": Attack(_FILTER, do.fork),
    "fork by clone3": Attack(_FILTER, do.raw_fork),
    "signal the caller": Attack(_FILES, do.signal_caller),
    "signal the caller's group": Attack(_FILES, do.signal_group),
    "have the kernel signal the caller": Attack(_FILTER, do.signal_by_socket),
    "set limits of the caller": Attack(("seccomp", "capabilities"), do.limit_caller),
    "trace the caller": Attack(("seccomp", "landlock", "namespaces"), do.trace_caller),
    "read the caller's memory": Attack(("seccomp", "landlock", "namespaces"), do.read_caller_memory),
    "take more memory than allowed": Attack(("limits",), do.take_memory),
}
ATTACKS |= {
    name: Attack(_FILTER, lambda _file, _target, name=name, arguments=arguments: do.raw_call(name, *arguments))
    for name, (_, arguments) in do.CALLS.items()
}


def _attack(file: int, name: str, target: list[Any]) -> Iterator[Message]:
    try:
        ATTACKS[name].run(file, Target(*target))
    except (OSError, MemoryError) as refusal:
        yield {"refused": f"{type(refusal).__name__}: {refusal}"[:200]}, b""
    else:
        yield {"refused": None}, b""


TASKS: dict[str, Task] = {"attack": _attack}


def attack_all() -> dict[str, bool | None]:
    """For each attack, whether it was refused; None if it succeeded, but this machine has none of its layers."""
    found: dict[str, bool | None] = {}
    with target() as hit, closing(Sandbox("benchmarks._attacks", SandboxLimits())) as box:
        for name, attack in ATTACKS.items():
            try:
                ((answer, _),) = box.call("attack", b"x", name=name, target=list(hit))
                refused = answer["refused"] is not None
            except SandboxError:  # it became another program, or a process was killed
                refused = False
            checked = refused or box.layers & set(attack.layers)
            found[name] = refused if checked else None
    return found


@contextmanager
def target() -> Iterator[Target]:
    """Yields this process, with a key in its environment, and other things that an attack may hit."""
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
