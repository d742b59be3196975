"""Escapes that code in control of a sandbox process would try, as tasks of the sandbox, for `security` and the tests.

No attack does harm if it succeeds. Each is refused by any of its layers; if it succeeds on a kernel that has none of
them, it says nothing about the sandbox and counts as not checked.
"""

import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from workers.sandbox.client import Sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits
from workers.sandbox.task import Message, Task

MARK = "LONGVID_SANDBOX_TEST_KEY"
"""An environment variable of the caller, in place of one that contains a key."""


class Target(NamedTuple):
    """What attacks try to reach; all of it belongs to the caller."""

    pid: int
    port: int  # listens on 127.0.0.1
    folder: str  # may be written to
    unix_socket: str  # listens in `folder`


class Attack(NamedTuple):
    """An action of a hostile task, and the layers that refuse it."""

    layers: tuple[str, ...]
    run: Callable[[int, Target], Any]
    """Takes the descriptor of the file, and the target. Raises OSError or MemoryError if it is refused."""


def _connect(file: int, target: Target) -> None:
    with socket.create_connection(("127.0.0.1", target.port), timeout=5):
        pass


def _connect_unix(file: int, target: Target) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(target.unix_socket)


def _connect_abstract(file: int, target: Target) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"\0longvid-{target.port}")


def _send_datagram(file: int, target: Target) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"stolen", ("127.0.0.1", target.port))


def _write_file(file: int, target: Target) -> None:
    Path(target.folder, "written").write_text("")


def _write_own_file(file: int, target: Target) -> None:
    os.close(os.open(f"/proc/self/fd/{file}", os.O_RDWR))


def _make_folder(file: int, target: Target) -> None:
    Path(target.folder, "made").mkdir()


def _remove_file(file: int, target: Target) -> None:
    Path(target.folder, "victim").unlink()


def _execute(file: int, target: Target) -> None:
    os.execv("/bin/true", ["true"])  # where it works, the process ends without an answer


def _fork(file: int, target: Target) -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def _raw_fork(file: int, target: Target) -> None:
    """By clone3, which a filter cannot look into."""
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = signal.SIGCHLD
    if _raw("clone3", arguments, ctypes.sizeof(arguments)) == 0:
        os._exit(0)
    os.wait()


def _read_environment(file: int, target: Target) -> None:
    seen = MARK in os.environ
    with suppress(OSError):
        seen |= MARK.encode() in Path("/proc/self/environ").read_bytes()
    if not seen:
        raise PermissionError("not there")


def _read_caller_environment(file: int, target: Target) -> None:
    Path(f"/proc/{target.pid}/environ").read_bytes()


def _read_passwords(file: int, target: Target) -> None:
    Path("/etc/passwd").read_bytes()


def _list_root(file: int, target: Target) -> None:
    list(Path("/").iterdir())


def _signal_caller(file: int, target: Target) -> None:
    os.kill(target.pid, 0)


def _signal_group(file: int, target: Target) -> None:
    os.kill(-os.getpgid(target.pid), 0)


def _signal_by_socket(file: int, target: Target) -> None:
    """Has the kernel send a signal to the caller whenever the connection is ready."""
    for descriptor in range(3, 16):
        with suppress(OSError):
            if descriptor != file and os.fstat(descriptor):
                fcntl.fcntl(descriptor, 8, target.pid)  # F_SETOWN
                return
    raise PermissionError("refused")


def _limit_caller(file: int, target: Target) -> None:
    resource.prlimit(target.pid, resource.RLIMIT_CORE, resource.prlimit(target.pid, resource.RLIMIT_CORE))


def _trace_caller(file: int, target: Target) -> None:
    seize, detach = 0x4206, 17
    _raw("ptrace", seize, target.pid, None, None)
    ctypes.CDLL(None).ptrace(detach, target.pid, None, None)


def _read_caller_memory(file: int, target: Target) -> None:
    _raw("process_vm_readv", target.pid, None, 0, None, 0, 0)


def _inherited_files(file: int, target: Target) -> None:
    found = 0
    for descriptor in range(3, 1024):
        with suppress(OSError):
            found += bool(os.fstat(descriptor))
    if found <= 2:  # the file, and the connection to the caller
        raise PermissionError("none")


def _take_memory(file: int, target: Target) -> None:
    len(bytearray(64 << 30))


# Numbers of system calls on x86-64 and aarch64.
_NUMBERS = {"clone3": (435, 435), "ptrace": (101, 117), "process_vm_readv": (310, 270)}
# Those that are attacks by themselves, with their arguments.
_CALLS: dict[str, tuple[tuple[int, int], tuple[Any, ...]]] = {
    "io_uring_setup": ((425, 425), (1, None)),
    "bpf": ((321, 280), (0, None, 0)),
    "mount": ((165, 40), (None, None, None, 0, None)),
    "keyctl": ((250, 219), (0, -3, 0)),
    "unshare": ((272, 97), (0,)),
    "setns": ((308, 268), (-1, 0)),
    "perf_event_open": ((298, 241), (None, 0, -1, -1, 0)),
    "userfaultfd": ((323, 282), (0,)),
    "memfd_create": ((319, 279), (b"x", 0)),
    "pidfd_open": ((434, 434), (1, 0)),
    "open_by_handle_at": ((304, 265), (-1, None, 0)),
    "setpriority": ((141, 140), (1, 0, 19)),
}


def _raw(name: str, *arguments: Any) -> int:
    """Makes a system call. Any error but a refusal means that the kernel has executed it."""
    numbers = _NUMBERS[name] if name in _NUMBERS else _CALLS[name][0]
    number = numbers[platform.machine() == "aarch64"]
    result: int = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if result < 0 and ctypes.get_errno() in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        raise PermissionError(ctypes.get_errno(), "refused")
    return result


_FILTER = ("seccomp",)
_FILES = ("seccomp", "landlock")
ATTACKS: dict[str, Attack] = {
    "connect by TCP": Attack(("seccomp", "landlock", "namespaces"), _connect),
    "send a UDP datagram": Attack(("seccomp", "namespaces"), _send_datagram),
    "connect to a Unix socket": Attack(_FILTER, _connect_unix),
    "connect to an abstract socket": Attack(("seccomp", "namespaces"), _connect_abstract),
    "write a file": Attack(_FILES, _write_file),
    "write the file it reads": Attack(_FILES, _write_own_file),
    "make a folder": Attack(_FILES, _make_folder),
    "remove a file": Attack(_FILES, _remove_file),
    "open /etc/passwd": Attack(("landlock",), _read_passwords),
    "list the root folder": Attack(("landlock",), _list_root),
    "read keys from the environment": Attack(("environment",), _read_environment),
    "read the caller's environment": Attack(("landlock", "namespaces"), _read_caller_environment),
    "use files the caller left open": Attack(("descriptors",), _inherited_files),
    "execute a program": Attack(_FILES, _execute),
    "fork": Attack(_FILTER, _fork),
    "fork by clone3": Attack(_FILTER, _raw_fork),
    "signal the caller": Attack(_FILES, _signal_caller),
    "signal the caller's group": Attack(_FILES, _signal_group),
    "have the kernel signal the caller": Attack(_FILTER, _signal_by_socket),
    "set limits of the caller": Attack(("seccomp", "capabilities"), _limit_caller),
    "trace the caller": Attack(("seccomp", "landlock", "namespaces"), _trace_caller),
    "read the caller's memory": Attack(("seccomp", "landlock", "namespaces"), _read_caller_memory),
    "take more memory than allowed": Attack(("limits",), _take_memory),
}
ATTACKS |= {
    name: Attack(_FILTER, lambda _file, _target, name=name, arguments=arguments: _raw(name, *arguments))
    for name, (_, arguments) in _CALLS.items()
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
