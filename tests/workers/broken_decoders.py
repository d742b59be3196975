"""Tasks for the child process that end badly, as decoders do."""

import ctypes
import os
import time
from pathlib import Path


def echo(text: str):
    yield {"text": text}, b""


def good(count):
    for number in range(count):
        yield {"number": number}, bytes([number]) * 100_000


def segfault():
    yield {"number": 0}, b""
    ctypes.string_at(0)


def die(folder, times, signal_number):
    """Gives 5 messages; dies before the fourth, the first `times` it is called."""
    for number in range(5):
        if number == 3 and len(list(Path(folder).iterdir())) < times:
            (Path(folder) / str(os.getpid())).touch()
            os.kill(os.getpid(), signal_number)
        yield {"number": number}, b""


def hang():
    yield {"number": 0}, b""
    time.sleep(3600)


def spin():
    yield {"number": 0}, b""
    while True:
        pass


def go_silent():
    """Closes its side and lives on."""
    yield {"number": 0}, b""
    os.closerange(1, 2)
    os.closerange(3, 64)
    time.sleep(3600)


def eat_memory():
    yield {"number": 0}, b""
    eaten = []
    while True:
        eaten.append(bytearray(32 << 20))


def eat_memory_in_mappings():
    """What a limit on data does not see."""
    import mmap

    yield {"number": 0}, b""
    eaten = []
    while True:
        area = mmap.mmap(-1, 64 << 20)
        area.write(b"x" * (64 << 20))
        eaten.append(area)
        time.sleep(0.02)


def leave():
    yield {"number": 0}, b""
    os._exit(0)


def fail():
    yield {"number": 0}, b""
    raise KeyError("a bug")


def pid():
    yield {"pid": os.getpid()}, b""
