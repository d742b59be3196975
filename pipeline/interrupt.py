"""Ctrl-C that arrives. Python raises it wherever the main thread is, and in a callback or destructor it is lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked = threading.Event()


@contextmanager
def heeded() -> Iterator[None]:
    """Within, an interrupt is remembered for `check`. Only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def remember(number, frame) -> None:
        _asked.set()
        raise KeyboardInterrupt

    _asked.clear()
    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def check() -> None:
    """Raises KeyboardInterrupt where one was asked for, and lost."""
    if _asked.is_set():
        raise KeyboardInterrupt
