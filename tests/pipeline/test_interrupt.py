import os
import signal
from contextlib import suppress

import pytest

from pipeline import interrupt


def test_an_interrupt_that_was_lost_is_raised_at_the_next_check():
    before = signal.getsignal(signal.SIGINT)
    with interrupt.heeded():
        interrupt.check()
        with suppress(KeyboardInterrupt):  # as a callback's caller does
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert signal.getsignal(signal.SIGINT) is before
    with interrupt.heeded():
        interrupt.check()
