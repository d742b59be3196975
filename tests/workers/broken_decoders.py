"""Tasks for the child process that end badly, as decoders do."""

import ctypes
import inspect
import os
import time
from pathlib import Path

from workers.media_child import LENGTHS


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


def plod(cpu_s):
    """Long without a picture, and at work."""
    start = time.process_time()
    while time.process_time() - start < cpu_s:
        yield {"alive": True}, b""
        sum(range(1_000_000))
    yield {"number": 0}, b""


def go_silent():
    """Closes its side and lives on."""
    yield {"number": 0}, b""
    os.closerange(1, 2)
    os.closerange(3, 64)
    time.sleep(3600)


def promise_too_much():
    yield _say(LENGTHS.pack(16, 2**32 - 1))


def talk_nonsense():
    yield _say(LENGTHS.pack(4, 0) + b"\xc1abc")


def _say(data: bytes):
    """What no message is, by the way that messages go."""
    frame = inspect.currentframe()
    while "out" not in frame.f_locals:
        frame = frame.f_back
    out = frame.f_locals["out"]
    out.write(data)
    out.flush()
    time.sleep(3600)


def eat_memory():
    yield {"number": 0}, b""
    eaten = []
    while True:
        eaten.append(bytearray(32 << 20))


_leaked: list[bytearray] = []


def leak(mb: int):
    """Ends well, and leaves memory behind."""
    _leaked.append(bytearray(mb << 20))
    yield {}, b""


def take(mb: int):
    """Needs memory, and gives it back."""
    yield {"taken": len(bytearray(mb << 20))}, b""


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
