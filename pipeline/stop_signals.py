"""Ends any command within seconds of SIGINT (Ctrl-C) or SIGTERM (preemption), with one line and the usual exit code."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

STOPS = {signal.SIGINT: ("Interrupted", 130), signal.SIGTERM: ("Terminated", 143)}
GRACE_S = 4.0
"""For the command to close what it has open (a Ray session takes about 1.5 s); then the process ends as it is, which a
resumed command allows for."""


@contextmanager
def ended_by_signals(advice: str = "") -> Iterator[None]:
    """Raises KeyboardInterrupt in the block at the first signal, and ends the process when the block is left.

    Whatever the interrupted code makes of the exception, the process ends with a line and 128 + the signal's number.
    Further signals change nothing. A signal that is ignored when the block begins (`nohup`, `&` of a shell) stays so.

    Args:
        advice: follows "Interrupted." or "Terminated." in the line.
    """
    received: list[int] = []

    def stop(signum: int, frame: object) -> None:
        if not received:
            received.append(signum)
            raise KeyboardInterrupt

    # The C handler writes the signal's number there at once, while Python's waits until the main thread runs Python:
    # a library may hold it in C++ for minutes.
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
    """Without Python's own end: it would wait for a library's thread that is stuck in C++."""
    word, code = STOPS[signal.Signals(signum)]
    with suppress(OSError):
        os.write(2, f"\n{word}. {advice}".rstrip().encode() + b"\n")
    os._exit(code)
