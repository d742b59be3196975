"""What code in control of a sandbox process would try: each action raises OSError or MemoryError if it is refused.

Each takes the descriptor of the file that the task was given, and the target.
"""

import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

MARK = "LONGVID_SANDBOX_TEST_KEY"
"""An environment variable of the caller, in place of one that contains a key."""


class Target(NamedTuple):
    """What attacks try to reach; all of it belongs to the caller."""

    pid: int
    port: int  # listens on 127.0.0.1
    folder: str  # may be written to
    unix_socket: str  # listens in `folder`


def connect(file: int, target: Target) -> None:
    with socket.create_connection(("127.0.0.1", target.port), timeout=5):
        pass


def connect_unix(file: int, target: Target) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(target.unix_socket)


def connect_abstract(file: int, target: Target) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"\0longvid-{target.port}")


def send_datagram(file: int, target: Target) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"stolen", ("127.0.0.1", target.port))


def write_file(file: int, target: Target) -> None:
    Path(target.folder, "written").write_text("")


def write_own_file(file: int, target: Target) -> None:
    os.close(os.open(f"/proc/self/fd/{file}", os.O_RDWR))


def make_folder(file: int, target: Target) -> None:
    Path(target.folder, "made").mkdir()


def remove_file(file: int, target: Target) -> None:
    Path(target.folder, "victim").unlink()


def execute(file: int, target: Target) -> None:
    os.execv("/bin/true", ["true"])  # where it works, the process ends without an answer


def fork(file: int, target: Target) -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def raw_fork(file: int, target: Target) -> None:
    """By clone3, which a filter cannot look into."""
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = signal.SIGCHLD
    if raw_call("clone3", arguments, ctypes.sizeof(arguments)) == 0:
        os._exit(0)
    os.wait()


def read_environment(file: int, target: Target) -> None:
    seen = MARK in os.environ
    with suppress(OSError):
        seen |= MARK.encode() in Path("/proc/self/environ").read_bytes()
    if not seen:
        raise PermissionError("not there")


def read_caller_environment(file: int, target: Target) -> None:
    Path(f"/proc/{target.pid}/environ").read_bytes()


def read_passwords(file: int, target: Target) -> None:
    Path("/etc/passwd").read_bytes()


def list_root(file: int, target: Target) -> None:
    list(Path("/").iterdir())


def signal_caller(file: int, target: Target) -> None:
    os.kill(target.pid, 0)


def signal_group(file: int, target: Target) -> None:
    os.kill(-os.getpgid(target.pid), 0)


def signal_by_socket(file: int, target: Target) -> None:
    """Has the kernel send a signal to the caller whenever the connection is ready."""
    for descriptor in range(3, 16):
        with suppress(OSError):
            if descriptor != file and os.fstat(descriptor):
                fcntl.fcntl(descriptor, 8, target.pid)  # F_SETOWN
                return
    raise PermissionError("refused")


def limit_caller(file: int, target: Target) -> None:
    resource.prlimit(target.pid, resource.RLIMIT_CORE, resource.prlimit(target.pid, resource.RLIMIT_CORE))


def trace_caller(file: int, target: Target) -> None:
    seize, detach = 0x4206, 17
    raw_call("ptrace", seize, target.pid, None, None)
    ctypes.CDLL(None).ptrace(detach, target.pid, None, None)


def read_caller_memory(file: int, target: Target) -> None:
    raw_call("process_vm_readv", target.pid, None, 0, None, 0, 0)


def inherited_files(file: int, target: Target) -> None:
    found = 0
    for descriptor in range(3, 1024):
        with suppress(OSError):
            found += bool(os.fstat(descriptor))
    if found <= 2:  # the file, and the connection to the caller
        raise PermissionError("none")


def take_memory(file: int, target: Target) -> None:
    len(bytearray(64 << 30))


# Numbers of system calls on x86-64 and aarch64.
_NUMBERS = {"clone3": (435, 435), "ptrace": (101, 117), "process_vm_readv": (310, 270)}
# Those that are attacks by themselves, with their arguments.
CALLS: dict[str, tuple[tuple[int, int], tuple[Any, ...]]] = {
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


def raw_call(name: str, *arguments: Any) -> int:
    """Makes a system call. Any error but a refusal means that the kernel has executed it."""
    numbers = _NUMBERS[name] if name in _NUMBERS else CALLS[name][0]
    number = numbers[platform.machine() == "aarch64"]
    result: int = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if result < 0 and ctypes.get_errno() in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        raise PermissionError(ctypes.get_errno(), "refused")
    return result
