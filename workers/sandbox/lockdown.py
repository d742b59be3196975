"""The layers of the sandbox, each used where the kernel has it. In the order in which they can be applied.

Two are set up once for all tasks, before any untrusted byte: an environment of its own, with no keys in it (the client
starts the server with one), and the namespaces. The others belong to the process of one task.
"""

import ctypes
import os
import resource
import signal
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from workers.sandbox import landlock, seccomp

LAYERS = {
    "environment": "a process environment without the variables of its caller",
    "descriptors": "no open files but the one to read",
    "limits": "limits on memory, open files, threads and written files",
    "capabilities": "none of root's privileges",
    "no_new_privs": "no program that would give privileges",
    "namespaces": "no network, no view of its caller's memory",
    "landlock": "no files but the Python installation, to read",
    "seccomp": "no sockets, programs, processes, or files opened for writing",
}
FULL = frozenset({"environment", "seccomp", "landlock"})

_OPEN_FILES, _GPU_OPEN_FILES = 64, 1024
# Where Python and its packages lie: for modules and data that libraries load late.
_IMPORT_FOLDERS = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_HIGHEST_DESCRIPTOR = 1023  # of the server process, which holds only those of tasks that are being started
_THREADS = 512  # of all tasks of a server process at once
_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVS = 1, 38
_NEW_USER, _NEW_NETWORK, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_CAPABILITIES_V3 = 0x20080522


def enter_namespaces() -> list[str]:
    """Namespaces of its own for this process and all that it forks, where this is allowed."""
    if sys.platform != "linux":
        return []
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    # Containers often allow root to make network namespaces, but nobody to make user namespaces.
    if unshare(_NEW_USER | _NEW_NETWORK | _NEW_IPC) == 0:
        # Here threads are counted apart from all others of the same user.
        resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS, _THREADS))
        return ["namespaces"]
    return ["namespaces"] if unshare(_NEW_NETWORK | _NEW_IPC) == 0 else []


def die_with(parent: int) -> None:
    """This process ends when its parent does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def keep_descriptors(kept: Iterable[int]) -> list[str]:
    """Closes all but `kept`; what libraries print goes nowhere."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    start = 3
    for descriptor in (*sorted(kept), _HIGHEST_DESCRIPTOR + 1):
        os.closerange(start, descriptor)
        start = descriptor + 1
    return ["descriptors"]


def limit(memory_bytes: int, open_files: int) -> list[str]:
    """What the kernel counts."""
    limits = {"DATA": memory_bytes, "NOFILE": open_files, "FSIZE": 0, "CORE": 0}
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    return ["limits"]


def lock(files: Iterable[int], memory_bytes: int, gpu: bool) -> list[str]:
    """Gives up all that a task doesn't need; the names of the layers that are in force. For good.

    Args:
        files: descriptors whose files may be opened again, by `/proc/self/fd/N`.
        gpu: without the layers that keep a driver from its devices.
    """
    done = limit(memory_bytes, _GPU_OPEN_FILES if gpu else _OPEN_FILES)
    if sys.platform != "linux":
        return done
    libc = ctypes.CDLL(None, use_errno=True)
    if _drop_capabilities(libc):
        done.append("capabilities")
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return done
    done.append("no_new_privs")
    if gpu:
        return done
    with suppress(OSError):
        landlock.restrict(_IMPORT_FOLDERS, files)
        done.append("landlock")
    if seccomp.is_supported():
        with suppress(OSError):
            seccomp.install()
            done.append("seccomp")
    return done


def _drop_capabilities(libc: ctypes.CDLL) -> bool:
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    nothing = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, each in two halves
    return bool(libc.capset(header, nothing) == 0)
