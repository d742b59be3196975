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
    """Memory of a process."""
    stall_cpu_s: float = Field(300.0, gt=0)
    """CPU seconds without a sign of work (a frame, packets read) after which a file is given up."""
    stall_s: float = Field(3600.0, gt=0)
    """Seconds without one: a hang."""
    reuse_cpu_s: float = Field(5.0, ge=0)
    """A process is given other files until it has used this many CPU seconds, so that starting one (some 10 ms) costs
    little. A file whose code takes over its process can falsify what that process says of the next ones: 0 gives each
    file a process of its own."""


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
    """Holds one process to its limits."""

    def __init__(self, pid: int, limits: SandboxLimits) -> None:
        self.limits = limits
        self._process: psutil.Process | None = None
        with suppress(psutil.Error):  # it is gone: reading says how
            self._process = psutil.Process(pid)
        self._cpu_s: float | None = None
        self._used_s = self._used_at_begin_s = self._used_at_sign_s = 0.0
        self._looked = self._sign = time.monotonic()

    def begin(self, cpu_s: float | None) -> None:
        """A call begins, which may take so many CPU seconds."""
        self._cpu_s, self._used_s = cpu_s, self.used_s()
        self._used_at_begin_s = self._used_s
        self.sign_of_work()

    def sign_of_work(self) -> None:
        """A whole message has come, or the process waited for its caller."""
        self._sign, self._used_at_sign_s = time.monotonic(), self._used_s

    def end(self) -> None:
        """The call is over. Raises SandboxError where it took more than its budget since it was last looked at."""
        self._used_s = self.used_s()
        self._check_budget()

    def used_s(self) -> float:
        """CPU seconds of the process; what was seen last where it is gone."""
        with suppress(psutil.Error):
            if self._process:
                times = self._process.cpu_times()
                return float(times.user + times.system)
        return self._used_s

    def look(self) -> None:
        """Compares with the limits, now and then; to be called often.

        Raises:
            SandboxError: the process is over a limit.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked, self._used_s = now, self.used_s()
        with suppress(psutil.Error):
            if self._process:
                self._check_size(self._process.memory_info().rss, self._process.num_threads())
        self._check_time(now)

    def _check_size(self, resident: int, threads: int) -> None:
        if resident > self.limits.memory_mb << 20:
            raise SandboxError("memory", f"above {self.limits.memory_mb} MB (memory_mb)")
        if threads > _MAX_THREADS:
            raise SandboxError("memory", f"above {_MAX_THREADS} threads")

    def _check_time(self, now: float) -> None:
        self._check_budget()
        if self._used_s - self._used_at_sign_s > self.limits.stall_cpu_s:
            allowed = f"{self.limits.stall_cpu_s:g} CPU seconds"
            raise SandboxError("timeout", f"{allowed} without a sign of work (stall_cpu_s)")
        if now - self._sign > self.limits.stall_s:
            raise SandboxError("timeout", f"{self.limits.stall_s:g} seconds without a sign of work (stall_s)")

    def _check_budget(self) -> None:
        if self._cpu_s is not None and self._used_s - self._used_at_begin_s > self._cpu_s:
            raise SandboxError("budget", f"more than {self._cpu_s:g} CPU seconds")
