"""The filter of both architectures, run by a small interpreter of its instructions: a kernel has only one of them."""

import errno
import os
import re
import signal
from pathlib import Path

import pytest

from workers.sandbox.seccomp import _ARCHITECTURES, build
from workers.sandbox.syscalls import NUMBERS

PID = 4321
ALLOWED, KILLED = "allowed", "killed"
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
MACHINES = pytest.mark.parametrize("machine", list(HEADERS))


def judge(machine, number, *arguments, arch=None):
    """What the filter says to a call: allowed, killed or an error code."""
    data = bytearray(64)
    data[0:4] = number.to_bytes(4, "little")
    data[4:8] = (_ARCHITECTURES[machine][0] if arch is None else arch).to_bytes(4, "little")
    for place, argument in enumerate(arguments):
        data[16 + 8 * place : 24 + 8 * place] = (argument % 2**64).to_bytes(8, "little")
    accumulator = place = 0
    program = build(machine, PID)
    while True:
        code, if_true, if_false, value = program[place]
        place += 1
        if code == 0x20:
            accumulator = int.from_bytes(data[value : value + 4], "little")
        elif code == 0x54:
            accumulator &= value
        elif code in (0x15, 0x35):
            place += if_true if (accumulator == value if code == 0x15 else accumulator >= value) else if_false
        else:
            assert code == 0x06
            return {0x7FFF0000: ALLOWED, 0x80000000: KILLED}.get(value, value & 0xFFFF)


def call(machine, name, *arguments):
    return judge(machine, NUMBERS[name][machine == "aarch64"], *arguments)


@MACHINES
def test_the_numbers_are_those_of_the_kernels_headers(machine):
    if not HEADERS[machine].exists():
        pytest.skip(f"{HEADERS[machine]} is not installed")
    pattern = r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b"
    listed = {name: int(number) for name, number in re.findall(pattern, HEADERS[machine].read_text())}
    listed.setdefault("newfstatat", listed.get("fstatat"))
    ours = {name: numbers[machine == "aarch64"] for name, numbers in NUMBERS.items()}
    assert ours == {name: listed.get(name) for name in NUMBERS} | ({"getrlimit": 163} if machine == "aarch64" else {})


@MACHINES
def test_files_open_for_reading_only(machine):
    assert call(machine, "openat", -100, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOWED
    for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_ACCMODE):
        assert call(machine, "openat", -100, 0, flag | os.O_CLOEXEC) == errno.EPERM
        # The kernel looks at the lower half of the register alone.
        assert call(machine, "openat", -100, 0, flag | 1 << 40) == errno.EPERM


@MACHINES
def test_threads_but_no_processes_and_namespaces(machine):
    thread = 0x3D0F00  # as glibc starts one
    assert call(machine, "clone", thread) == ALLOWED
    assert call(machine, "clone", signal.SIGCHLD) == errno.EPERM
    assert call(machine, "clone", thread | 0x10000000) == errno.EPERM
    assert call(machine, "clone", 0x100 | 0x4000) == errno.EPERM  # vfork
    assert judge(machine, 435) == errno.ENOSYS  # clone3


@MACHINES
def test_signals_to_itself_only(machine):
    assert call(machine, "tgkill", PID, PID, signal.SIGABRT) == ALLOWED
    assert call(machine, "kill", PID, signal.SIGSEGV) == ALLOWED
    for other in (0, 1, -1, -PID, PID + 1):
        assert call(machine, "kill", other, 0) == errno.EPERM


@MACHINES
def test_limits_are_read_and_not_set(machine):
    assert call(machine, "prlimit64", 0, 7, 0, 1) == ALLOWED
    assert call(machine, "prlimit64", 0, 7, 1, 0) == errno.EPERM
    assert call(machine, "prlimit64", 0, 7, 1 << 32, 0) == errno.EPERM


@MACHINES
@pytest.mark.parametrize(("name", "good", "bad"), [("fcntl", 3, 8), ("ioctl", 0x5401, 0x5412)])
def test_only_harmless_operations_on_descriptors(machine, name, good, bad):
    assert call(machine, name, 3, good) == ALLOWED
    assert call(machine, name, 3, bad) == call(machine, name, 3, bad | 1 << 32) == errno.EPERM


@MACHINES
def test_processes_are_dumpable_or_not_by_themselves_no_more(machine):
    assert call(machine, "prctl", 15) == ALLOWED
    assert call(machine, "prctl", 1, 0) == errno.EPERM  # PR_SET_PDEATHSIG: outliving the caller


@MACHINES
def test_everything_else_is_refused(machine):
    allowed = {numbers[machine == "aarch64"] for numbers in NUMBERS.values()}
    for number in set(range(600)) - allowed:
        assert judge(machine, number) == (errno.ENOSYS if number >= 424 else errno.EPERM), number


@MACHINES
def test_calls_of_another_table_end_the_process(machine):
    (other,) = HEADERS.keys() - {machine}
    for arch in (_ARCHITECTURES[other][0], 0x40000003):  # 32-bit calls of x86
        assert judge(machine, 0, arch=arch) == KILLED
    assert judge(machine, 0x40000000) == KILLED
