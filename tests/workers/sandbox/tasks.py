"""Tasks that end badly, as decoders do."""

import ctypes
import mmap
import os
import time
from pathlib import Path

from schemas.rejects import Reject
from workers.sandbox import task as protocol
from workers.sandbox.task import LENGTHS, heartbeat, read_all


def echo(file, text):
    yield {"text": text, "file": read_all(file).decode()}, b""


def pid(file):
    yield {"pid": os.getpid()}, b""


def good(file, count):
    for number in range(count):
        yield {"number": number}, bytes([number]) * 100_000


def reject(file, reason):
    yield {"number": 0}, b""
    raise Reject(reason, "x" * 2000)


def segfault(file):
    yield {"number": 0}, b""
    ctypes.string_at(0)


def leave(file):
    yield {"number": 0}, b""
    os._exit(0)


def die(file, times, signal_number):
    """Gives 5 messages; dies before the fourth, `times` times: so many bytes of the file are read by those before."""
    for number in range(5):
        if number == 3 and os.lseek(file, 1, os.SEEK_CUR) <= times:
            os.kill(os.getpid(), signal_number)
        yield {"number": number}, b""


def hang(file):
    yield {"number": 0}, b""
    time.sleep(3600)


def spin(file):
    yield {"number": 0}, b""
    while True:
        pass


def chatter(file):
    """Uses up its CPU time while it gives messages."""
    number = 0
    while True:
        yield {"number": number}, b""
        number += 1


def plod(file, busy_s):
    """Long without a message, and at work."""
    start = time.process_time()
    while time.process_time() - start < busy_s:
        heartbeat()
        sum(range(100_000))
    yield {"number": 0}, b""


def go_silent(file):
    """Closes its side and lives on."""
    yield {"number": 0}, b""
    os.closerange(3, 64)
    time.sleep(3600)


def say(file, data, pause_s):
    """What is no message, by the way that messages go, a byte at a time where there is a pause."""
    out = protocol._channel._out
    os.write(out, bytes.fromhex(data))
    while pause_s:
        time.sleep(pause_s)
        os.write(out, b"x")
    time.sleep(3600)
    yield {}, b""


def eat_memory(file):
    yield {"number": 0}, b""
    eaten = []
    while True:
        eaten.append(bytearray(32 << 20))


def take(file, mb):
    """Needs memory."""
    yield {"taken": len(bytearray(mb << 20))}, b""


_leaked = []


def leak(file, mb):
    """Ends well, and leaves memory behind."""
    _leaked.append(bytearray(mb << 20))
    yield {}, b""


def eat_memory_in_mappings(file):
    """What a limit on data does not see."""
    yield {"number": 0}, b""
    eaten = []
    while True:
        area = mmap.mmap(-1, 64 << 20)
        area.write(b"x" * (64 << 20))
        eaten.append(area)
        time.sleep(0.02)


def fail(file):
    yield {"number": 0}, b""
    raise KeyError("a bug")


def long_header(file):
    yield {"text": "x" * (protocol.MAX_HEADER_BYTES + 1)}, b""


def import_late(file):
    import xml.dom.minidom

    yield {"name": xml.dom.minidom.__name__}, b""


def reopen(file):
    """As a library does that takes only names."""
    yield {"text": Path(f"/proc/self/fd/{file}").read_text()}, b""


_FUNCTIONS = (
    echo,
    pid,
    good,
    reject,
    segfault,
    leave,
    die,
    hang,
    spin,
    chatter,
    plod,
    go_silent,
    say,
    eat_memory,
    take,
    leak,
)
_MORE = (eat_memory_in_mappings, fail, long_header, import_late, reopen)
TASKS = {function.__name__: function for function in (*_FUNCTIONS, *_MORE)}
LIE_TOO_LONG = LENGTHS.pack(16, 2**32 - 1).hex()
LIE_NO_JSON = (LENGTHS.pack(4, 0) + b"\xc1abc").hex()
LIE_OTHER_JSON = (LENGTHS.pack(2, 0) + b"[]").hex()
LIE_UNKNOWN_REASON = (LENGTHS.pack(22, 0) + b'["reject", ["x", "y"]]').hex()
