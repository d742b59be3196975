"""A filter that allows only the system calls needed to compute, read open files and write to one socket.

All others fail with EPERM, which libraries handle. Calls that are newer than the list fail with ENOSYS, so that the C
library falls back to older ones (`clone3` to `clone`, whose flags a filter can check).
"""

import ctypes
import errno
import os
import platform
import struct
import sys

from workers.sandbox.syscalls import NUMBERS

# AUDIT_ARCH of <linux/audit.h>; the column of NUMBERS; the number of seccomp(2).
_ARCHITECTURES = {"x86_64": (0xC000003E, 0, 317), "aarch64": (0xC00000B7, 1, 277)}
_X32 = 0x40000000  # x86-64's second table of calls
_UNKNOWN = 424  # from this number on, all architectures have the same calls, added since 2019

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # BPF codes
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_SET_MODE_FILTER, _ALL_THREADS, _SPECULATION_AS_BEFORE = 1, 1, 4

_WRITES = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
_THREAD = 0x00010000 | 0x00000100  # CLONE_THREAD, CLONE_VM
_NAMESPACES = 0x7E020000 | 0x00000080  # CLONE_NEW*
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC; none that makes the kernel send signals
_FCNTL = (0, 1, 2, 3, 1030)
_IOCTL = (0x5401, 0x5450, 0x5451)  # TCGETS (isatty), FIONCLEX, FIOCLEX
_PRCTL = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA

Instruction = tuple[int, int, int, int]


def is_supported() -> bool:
    """Returns whether this kernel supports filters, on an architecture that this module knows."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        return False
    needs_errno = ctypes.c_uint32(_ERRNO)
    get_action_available = 2
    call = ctypes.CDLL(None, use_errno=True).syscall
    return bool(call(_ARCHITECTURES[platform.machine()][2], get_action_available, 0, ctypes.byref(needs_errno)) == 0)


def install() -> None:
    """Permanently filters the calls of this process and its threads. `no_new_privs` must be set.

    Raises:
        OSError: the kernel refuses the filter.
    """
    program = build(platform.machine(), os.getpid())
    code = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    argument = Program(len(program), ctypes.addressof(buffer))
    call = ctypes.CDLL(None, use_errno=True).syscall
    # Without the last flag, kernels before 5.16 slow the process down by several percent to mitigate Spectre 4, by
    # which it could only read its own memory.
    flags = _ALL_THREADS | _SPECULATION_AS_BEFORE
    if call(_ARCHITECTURES[platform.machine()][2], _SET_MODE_FILTER, flags, ctypes.byref(argument)) != 0:
        raise OSError(ctypes.get_errno(), "seccomp filter refused")


def build(machine: str, pid: int) -> list[Instruction]:
    """Returns the instructions of the filter for a process, as `(code, jump if true, jump if false, value)`."""
    arch, column, _ = _ARCHITECTURES[machine]
    program = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for name, numbers in NUMBERS.items():
        if (number := numbers[column]) is not None:
            block = _argument_check(name, pid) or [(_RETURN, 0, 0, _ALLOW)]
            program += [(_EQUAL, 0, len(block), number), *block]
    return [
        *program,
        (_AT_LEAST, 0, 1, _UNKNOWN),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]


def _argument_check(name: str, pid: int) -> list[Instruction]:
    """Returns instructions that check the arguments of a call; none if they do not matter. The checked arguments have
    32 bits: the kernel ignores the upper half of the register, and so does the filter.
    """
    if name == "open":
        return _masked(1, _WRITES, os.O_RDONLY)
    if name == "openat":
        return _masked(2, _WRITES, os.O_RDONLY)
    if name == "clone":
        return _masked(0, _THREAD | _NAMESPACES, _THREAD)
    if name in ("kill", "tgkill"):
        return _one_of(0, (pid,))
    if name in ("fcntl", "ioctl"):
        return _one_of(1, _FCNTL if name == "fcntl" else _IOCTL)
    if name == "prctl":
        return _one_of(0, _PRCTL)
    if name == "prlimit64":  # limits may be read, not set: both halves of the pointer to new limits are 0
        return [*_load(2, high=True), (_EQUAL, 1, 0, 0), _refuse(), *_one_of(2, (0,))]
    return []


def _masked(argument: int, mask: int, value: int) -> list[Instruction]:
    return [*_load(argument), (_AND, 0, 0, mask), (_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW), _refuse()]


def _one_of(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    compare = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*_load(argument), *compare, _refuse(), (_RETURN, 0, 0, _ALLOW)]


def _load(argument: int, high: bool = False) -> list[Instruction]:
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument + 4 * high)]  # both architectures are little-endian


def _refuse() -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | errno.EPERM)
