"""What a sandboxed process may take, and who looks after it while its caller waits."""

import time
from contextlib import suppress

import psutil
from pydantic import Field

from schemas.config import Config

LOOK_S = 0.25
_MAX_THREADS = 256


class SandboxLimits(Config):
    """What a process may take. Generous: a file is rejected for what it does, not for how busy the machine is."""

    memory_mb: int = Field(4096, ge=256)
    """Memory of the process of one file."""
    stall_cpu_s: float = Field(300.0, gt=0)
    """CPU seconds without a sign of work (a frame, packets read) after which a file is given up."""
    stall_s: float = Field(3600.0, gt=0)
    """Seconds without one: a hang."""


class SandboxError(Exception):
    """A sandboxed process came to a bad end.

    Args:
        kind: `crashed`; `timeout`: no sign of work for too long; `memory`; `budget`: all its CPU time is used up.
        detail: for a person, with the value of the limit.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


class Watch:
    """Holds one process to its limits.

    Args:
        cpu_s: CPU seconds that it may take in all; None: any.
    """

    def __init__(self, pid: int, limits: SandboxLimits, cpu_s: float | None) -> None:
        self._pid, self._limits, self._cpu_s = pid, limits, cpu_s
        self._process: psutil.Process | None = None
        self._used_s = self._used_at_sign_s = 0.0
        self._looked = self._sign = time.monotonic()

    def sign_of_work(self) -> None:
        """A whole message has come."""
        self._sign, self._used_at_sign_s = time.monotonic(), self._used_s

    def restart(self) -> None:
        """The caller was busy with other things, and the process may have waited for it."""
        self.sign_of_work()

    def look(self) -> None:
        """Compares with the limits, now and then; to be called often.

        Raises:
            SandboxError: the process is over a limit.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        with suppress(psutil.Error):  # it is gone: reading says how
            self._process = self._process or psutil.Process(self._pid)
            with self._process.oneshot():
                times, memory = self._process.cpu_times(), self._process.memory_info()
                threads = self._process.num_threads()
            self._used_s = times.user + times.system
            self._check(memory.rss, threads)
        if now - self._sign > self._limits.stall_s:
            raise SandboxError("timeout", f"{self._limits.stall_s:g} seconds without a sign of work (stall_s)")

    def _check(self, resident: int, threads: int) -> None:
        limits = self._limits
        if resident > limits.memory_mb << 20:
            raise SandboxError("memory", f"above {limits.memory_mb} MB (memory_mb)")
        if threads > _MAX_THREADS:
            raise SandboxError("memory", f"above {_MAX_THREADS} threads")
        if self._cpu_s is not None and self._used_s > self._cpu_s:
            raise SandboxError("budget", f"more than {self._cpu_s:.0f} CPU seconds")
        if self._used_s - self._used_at_sign_s > limits.stall_cpu_s:
            raise SandboxError("timeout", f"{limits.stall_cpu_s:g} CPU seconds without a sign of work (stall_cpu_s)")
