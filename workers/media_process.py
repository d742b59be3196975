"""Opens strangers' files in a supervised child: a crash, a hang or a runaway is a reject, and the next file goes on."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from schemas.rejects import Reject
from workers.media_child import LEAK_SHARE, LENGTHS, Message, data_bytes, unpack
from workers.media_limits import MediaLimits, wait_for_child
from workers.probe import EntryPoints
from workers.shared_output import HALF_BYTES, SharedReader, map_shared, shared_file

# A crash may have a cause outside: only a file that crashes its decoder each time is the cause.
_CRASHES = 3
# No decoder dies of these by itself: somebody kills it, or the machine runs out of memory. An innocent file may be hit
# more than once; one that runs the machine out of memory is not tried for ever.
_KILLS = 10
_KILL_SIGNALS = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_ENDS_S = 10.0  # a child that closed its side has ended by then, or never will
# One thread; and memory that a picture leaves is kept for the next one (glibc), not given back and zeroed again.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
_ROOT = Path(__file__).resolve().parents[1]


class _Died(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"died of signal {-code}" if code < 0 else f"ended with code {code}")
        self.killed = -code in _KILL_SIGNALS


class MediaProcess:
    """One child at a time, started when it is needed."""

    def __init__(self, limits: MediaLimits) -> None:
        self._limits, self._calls, self._own_bytes, self._busy = limits, 0, 0, False
        self._child: Any = None  # a Popen
        self._link: Any = None  # our end of the socket between us
        self._memory = memoryview(b"")  # that it writes to

    def call(self, task: str, **arguments) -> Iterator[Message]:
        """The messages of a task of `workers.media_child`.

        Raises:
            Reject: what the task rejects; `decoder_crashed`, `decoder_timeout`, `decoder_memory`.
            RuntimeError: what the task did not expect, with the child's traceback.
        """
        if self._busy:  # a caller in the middle of another file: messages must not mix
            second = MediaProcess(self._limits)
            try:
                yield from second.call(task, **arguments)
            finally:
                second.close()
            return
        self._busy = True
        try:
            yield from self._call(task, arguments)
        finally:
            self._busy = False

    def _call(self, task: str, arguments: dict) -> Iterator[Message]:
        given, deaths = 0, Counter[bool]()
        while True:
            try:
                for number, message in enumerate(self._attempt(task, arguments)):
                    if number >= given:  # the same file gives the same messages: go on where the last child died
                        given += 1
                        yield message
                return
            except _Died as death:
                deaths[death.killed] += 1
                if deaths[death.killed] == (_KILLS if death.killed else _CRASHES):
                    times = deaths[death.killed]
                    raise Reject("decoder_crashed", f"the decoder's process {death}, {times} times") from None
            except Reject as reject:
                # What files before it left behind is no fault of this one: it gets a child of its own.
                if reject.reason != "decoder_memory" or self._calls == 1:
                    raise

    def close(self) -> None:
        """Ends the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with suppress(BrokenPipeError):  # a request that the child no longer took is still in the buffer
                child.stdin.close()
            self._link.close()
            child.wait()

    def __del__(self) -> None:
        self.close()

    def _attempt(self, task: str, arguments: dict) -> Iterator[Message]:
        ended = False
        try:
            if self._child is None or self._calls >= self._limits.max_calls or self._leaked():
                self._start()
            self._calls += 1
            try:
                self._child.stdin.write(json.dumps({"task": task, "arguments": arguments}).encode() + b"\n")
                self._child.stdin.flush()
            except BrokenPipeError:
                raise self._death() from None
            for header, payload in self._messages(self._limits):
                if "end" in header:
                    ended = True
                    return
                if "reject" in header:
                    reject = Reject(*header["reject"])
                    ended = reject.reason != "decoder_memory"
                    raise reject
                if "error" in header:
                    raise RuntimeError(f"{task} failed in its child:\n{header['error']}")
                if "alive" not in header:
                    yield header, payload
        finally:
            if not ended:
                self.close()

    def _start(self) -> None:
        self.close()
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._link, theirs = socket.socketpair()
        memory = shared_file()
        try:
            self._memory = map_shared(memory)
            self._child = subprocess.Popen(
                [sys.executable, "-m", "workers.media_child", str(self._limits.memory_mb << 20), str(memory)],
                stdin=subprocess.PIPE,
                stdout=theirs.fileno(),
                pass_fds=[memory],
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)},
            )
        finally:
            os.close(memory)
            theirs.close()
        self._calls = 0
        # Importing takes its time on a busy machine, and is nobody's fault.
        try:
            next(self._messages(MediaLimits(memory_mb=self._limits.memory_mb)))
        except _Died as death:
            if death.killed:
                raise
            raise RuntimeError(
                f"the decoder's process {death} before it was given a file, with limits.memory_mb = "
                f"{self._limits.memory_mb}: run `python -c 'import workers.media_child'` to see why"
            ) from None

        self._own_bytes = data_bytes(self._child.pid)

    def _leaked(self) -> bool:
        left = data_bytes(self._child.pid) - self._own_bytes
        return left > (self._limits.memory_mb << 20) // LEAK_SHARE

    def _messages(self, limits: MediaLimits) -> Iterator[Message]:
        wait = partial(wait_for_child, self._child.pid, self._link, limits)
        output = io.BufferedReader(SharedReader(self._link, self._memory, wait), HALF_BYTES)
        while len(lengths := output.read(LENGTHS.size)) == LENGTHS.size:
            sizes = LENGTHS.unpack(lengths)
            if sum(sizes) > limits.memory_mb << 20:  # more than it can hold
                break
            header, payload = map(output.read, sizes)
            if (len(header), len(payload)) != sizes:
                break
            try:
                message = unpack(header)
            except ValueError:
                break
            if not isinstance(message, dict):
                break
            yield message, payload
        raise self._death()

    def _death(self) -> _Died:
        try:
            return _Died(self._child.wait(_ENDS_S))
        except subprocess.TimeoutExpired:
            self._child.kill()
            return _Died(self._child.wait())


_thread = threading.local()


def media_process(limits: MediaLimits) -> MediaProcess:
    """The child that the units of this process share; another for each thread, since it does one thing at a time."""
    processes = _thread.__dict__.setdefault("processes", {})
    if limits not in processes:
        processes[limits] = MediaProcess(limits)
    return processes[limits]


def probe_apart(process: MediaProcess, path: str | Path) -> dict:
    """`workers.probe.probe` in the child, as columns."""
    ((columns, _),) = process.call("probe", path=str(path))
    return columns


def entry_points_apart(process: MediaProcess, path: str | Path) -> EntryPoints:
    """`workers.probe.entry_points` in the child."""
    ((header, payload),) = process.call("entry_points", path=str(path))
    count = header["count"]
    return EntryPoints(np.frombuffer(payload, np.int64, count), np.frombuffer(payload, np.float64, count, count * 8))
