"""The layers of the sandbox, in the order in which they are applied; each is used if the kernel supports it.

Two are set up once for all tasks, before any untrusted byte is read: an environment without keys, which the client
gives to the server, and the namespaces. The others are applied in each sandbox process.
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
    "descriptors": "no open files except the one to read",
    "limits": "limits on memory, open files, threads and written files",
    "capabilities": "none of root's privileges",
    "no_new_privs": "no programs that would give privileges",
    "namespaces": "no network, no access to the memory of its caller",
    "landlock": "no files except the Python installation, read-only",
    "seccomp": "no sockets, programs, processes, or files opened for writing",
}
FULL = frozenset({"environment", "seccomp", "landlock"})

_OPEN_FILES, _GPU_OPEN_FILES = 64, 1024
# Folders of Python and its packages, for modules and data that libraries load late.
_IMPORT_FOLDERS = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_HIGHEST_DESCRIPTOR = 1023  # of the server process, which has only those of tasks that are being started
_THREADS = 512  # of all tasks of a server process together
_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVS = 1, 38
_NEW_USER, _NEW_NETWORK, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_CAPABILITIES_V3 = 0x20080522


def enter_namespaces() -> list[str]:
    """Moves this process, and all that it forks, into namespaces of its own, if this is allowed."""
    if sys.platform != "linux":
        return []
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    # Containers often allow root to create network namespaces, but nobody to create user namespaces.
    if unshare(_NEW_USER | _NEW_NETWORK | _NEW_IPC) == 0:
        # In a user namespace, threads are counted separately from those of the same user outside.
        resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS, _THREADS))
        return ["namespaces"]
    return ["namespaces"] if unshare(_NEW_NETWORK | _NEW_IPC) == 0 else []


def die_with(parent: int) -> None:
    """Makes this process end with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def keep_descriptors(kept: Iterable[int]) -> list[str]:
    """Closes all descriptors except `kept`, and discards what libraries print."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    start = 3
    for descriptor in (*sorted(kept), _HIGHEST_DESCRIPTOR + 1):
        os.closerange(start, descriptor)
        start = descriptor + 1
    return ["descriptors"]


def limit(memory_bytes: int, open_files: int) -> list[str]:
    """Sets the limits that the kernel enforces."""
    limits = {"DATA": memory_bytes, "NOFILE": open_files, "FSIZE": 0, "CORE": 0}
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    return ["limits"]


def lock(files: Iterable[int], memory_bytes: int, gpu: bool) -> list[str]:
    """Permanently gives up everything that a task does not need; returns the names of the active layers.

    Args:
        files: descriptors whose files may be opened again, by `/proc/self/fd/N`.
        memory_bytes: maximum memory of the process.
        gpu: whether to leave out the layers that prevent access to GPUs.
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
