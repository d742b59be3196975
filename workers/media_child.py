"""The child that opens strangers' files: reads requests from stdin, writes messages to shared memory, and may die of
any of them.

A request is a line of JSON `{"task", "arguments"}`. A message is two lengths, a header in MessagePack and bytes; the
last of a request holds `end`, `reject` or `error`. The first of all says `ready`; `alive` says no more than that. No
pickle: who takes over this process gets no further by what it writes.
"""

import ctypes
import importlib
import io
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgpack

from schemas.rejects import Reject
from workers.decode_plan import Segment
from workers.frame_decoder import sample_frames
from workers.picture import encode_jpeg
from workers.probe import entry_points, probe
from workers.shared_output import HALF_BYTES, SharedWriter, map_shared

# Messages go together: waking the parent for each costs more than the copy. It still sees that work goes on.
_FLUSH_S = 1.0
LEAK_SHARE = 4  # of its memory that files may leave behind, before their child is replaced
LENGTHS = struct.Struct("<II")
# Half a percent of decoding less than JSON. Names of files may hold what is no Unicode.
pack = partial(msgpack.packb, unicode_errors="surrogatepass")
unpack = partial(msgpack.unpackb, unicode_errors="surrogatepass")
Message = tuple[dict, bytes]
Task = Callable[..., Iterator[Message]]


def main() -> None:
    """Serves until stdin ends. Its arguments: bytes of memory it may take, and the descriptor of the shared memory."""
    _die_with_parent()
    os.nice(10)  # there is always more to decode: what has been goes on first, and Ray stays alive on a full machine
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = io.BufferedWriter(SharedWriter(socket.socket(fileno=os.dup(1)), map_shared(int(sys.argv[2]))), HALF_BYTES)
    own = data_bytes()
    os.dup2(2, 1)  # what a library prints is no message
    _send(out, {"ready": True}, b"")
    out.flush()
    tasks: dict[str, Task] = {**TASKS, "sample": partial(_sample, _Pulse(out))}
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # Each file may take the same, whatever those before it left behind.
        allowed = memory - memory // LEAK_SHARE + max(0, data_bytes() - own)
        resource.setrlimit(resource.RLIMIT_DATA, (min(allowed, memory), memory))
        sent = time.monotonic()
        for header, payload in _answer(tasks[request["task"]], request["arguments"]):
            _send(out, header, payload)
            if time.monotonic() - sent > _FLUSH_S:
                out.flush()
                sent = time.monotonic()
        out.flush()


def data_bytes(pid: int | str = "self") -> int:
    """What RLIMIT_DATA counts of a process; 0 where there is no /proc."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[5]) * resource.getpagesize()
    return 0


def _send(out: BinaryIO, header: dict, payload: bytes) -> None:
    data = pack(header)
    out.write(LENGTHS.pack(len(data), len(payload)) + data)
    out.write(payload)


class _Pulse:
    """Tells the parent now and then that a file is being read, where there is no picture of it yet."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._told = out, time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._told > _FLUSH_S:
            _send(self._out, {"alive": True}, b"")
            self._out.flush()
            self._told = time.monotonic()


def _answer(task: Task, arguments: dict) -> Iterator[Message]:
    try:
        yield from task(**arguments)
    except Reject as reject:
        yield {"reject": [reject.reason, reject.detail]}, b""
    except MemoryError:
        yield {"reject": ["decoder_memory", "an allocation failed"]}, b""
    except Exception:
        # Not expected: the parent raises it before the user.
        yield {"error": traceback.format_exc()}, b""
    else:
        yield {"end": True}, b""


def _probe(path: str) -> Iterator[Message]:
    yield probe(path).columns(), b""


def _entry_points(path: str) -> Iterator[Message]:
    entries = entry_points(path)
    yield {"count": len(entries.pts)}, entries.pts.tobytes() + entries.time_s.tobytes()


def _sample(alive: _Pulse, path: str, segment: dict, jpeg_quality: int, **options) -> Iterator[Message]:
    for picture in sample_frames(path, Segment(**segment), alive=alive, **options):
        header = picture._asdict()
        rgb = header.pop("rgb")
        yield {**header, "width": rgb.shape[1], "height": rgb.shape[0]}, encode_jpeg(rgb, jpeg_quality)


def _call(function: str, **arguments) -> Iterator[Message]:
    """A function `module:name` that yields messages."""
    module, _, name = function.partition(":")
    yield from getattr(importlib.import_module(module), name)(**arguments)


TASKS: dict[str, Task] = {"probe": _probe, "entry_points": _entry_points, "call": _call}


def _die_with_parent() -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


if __name__ == "__main__":
    main()
