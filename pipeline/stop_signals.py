"""Ends any command within seconds after SIGINT (Ctrl-C) or SIGTERM (preemption), with the usual exit code."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

STOPS = {signal.SIGINT: ("Interrupted", 130), signal.SIGTERM: ("Terminated", 143)}
GRACE_S = 4.0
"""Time for the command to close its resources (a Ray session takes about 1.5 s). Then the process is ended; a command
that is run again can deal with that."""


@contextmanager
def ended_by_signals(advice: str = "") -> Iterator[None]:
    """Raises KeyboardInterrupt in the block at the first signal, and ends the process when the block is left.

    The process ends with a line and exit code 128 + the signal's number, even if the interrupted code handles the
    exception. Further signals have no effect. A signal that is ignored when the block begins (`nohup`, `&` of a shell)
    remains ignored.

    Args:
        advice: text that follows "Interrupted." or "Terminated." in the line.
    """
    received: list[int] = []

    def stop(signum: int, frame: object) -> None:
        if not received:
            received.append(signum)
            raise KeyboardInterrupt

    # The C handler writes the signal's number to the pipe at once, while Python's handler waits until the main thread
    # runs Python code: a library may keep it in C++ for minutes.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    Thread(target=_end_after_grace, args=(reader, advice), daemon=True).start()
    stops = [s for s in STOPS if signal.getsignal(s) is not signal.SIG_IGN]
    previous = {s: signal.signal(s, stop) for s in stops}
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        if received:
            with suppress(OSError):
                sys.stdout.flush()
            _end(received[0], advice)
        signal.set_wakeup_fd(wakeup)
        for signum, handler in previous.items():
            signal.signal(signum, handler)
        os.close(writer)


def _end_after_grace(reader: int, advice: str) -> None:
    while data := os.read(reader, 1):
        if data[0] in STOPS:
            time.sleep(GRACE_S)
            _end(data[0], advice)
    os.close(reader)


def _end(signum: int, advice: str) -> None:
    """Ends the process without Python's finalisation, which would wait for a library's thread that is stuck in C++."""
    word, code = STOPS[signal.Signals(signum)]
    with suppress(OSError):
        os.write(2, f"\n{word}. {advice}".rstrip().encode() + b"\n")
    os._exit(code)
