"""Landlock: restricts the access of a process to files, by system calls without a library."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all architectures
_ABI_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# Rights that an ABI version can refuse: on files (13 in the first, then REFER, TRUNCATE and IOCTL_DEV), TCP, and
# signals and abstract sockets to processes outside.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP_SINCE, _SCOPES_SINCE, _TCP, _SCOPES = 4, 6, 0b11, 0b11


def abi() -> int:
    """Returns the ABI version of this kernel; 0: Landlock is not available."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(_CREATE_RULESET, None, 0, _ABI_VERSION))


def restrict(folders: Iterable[Path], files: Iterable[int] = ()) -> None:
    """Restricts this thread, and threads that it starts, to reading some files.

    These are the files in `folders` and those of the descriptors `files`. `no_new_privs` must be set.

    Raises:
        OSError: Landlock is not available, or the call fails.
    """
    version = abi()
    if not version:
        raise OSError("no Landlock")
    file_rights = (1 << _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]) - 1
    fields = [file_rights]
    if version >= _TCP_SINCE:
        fields.append(_TCP)
    if version >= _SCOPES_SINCE:
        fields.append(_SCOPES)
    attributes = struct.pack(f"<{len(fields)}Q", *fields)
    rules = _checked(_call(_CREATE_RULESET, attributes, len(attributes), 0))
    try:
        for folder in folders:
            with suppress(OSError):  # a folder of the import path that does not exist
                descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
                try:
                    rights = _READ_FILE | _READ_DIR if folder.is_dir() else _READ_FILE
                    _allow(rules, descriptor, rights)
                finally:
                    os.close(descriptor)
        for file in files:
            with suppress(OSError):  # a file in memory needs no rule
                _allow(rules, file, _READ_FILE)
        _checked(_call(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)


def _allow(rules: int, descriptor: int, rights: int) -> None:
    _checked(_call(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("<Qi", rights, descriptor), 0))


def _call(number: int, *arguments: Any) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
