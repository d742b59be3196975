"""Limits of a sandbox process, and the watch that enforces them while the caller waits."""

import time
from contextlib import suppress

import psutil
from pydantic import Field

from schemas.config import Config

LOOK_S = 0.25
_MAX_THREADS = 256


class SandboxLimits(Config):
    """Sets the limits of a sandbox process.

    They are generous, so that no file is rejected because the machine is busy.
    """

    memory_mb: int = Field(4096, ge=256)
    """Maximum memory of a process, in MB."""
    stall_cpu_s: float = Field(300.0, gt=0)
    """Maximum CPU seconds without a heartbeat (a frame, packets read)."""
    stall_s: float = Field(3600.0, gt=0)
    """Maximum seconds without a heartbeat."""
    reuse_cpu_s: float = Field(5.0, ge=0)
    """A process reads further files until it has used this many CPU seconds, since starting one takes about 10 ms. A
    file that takes over its process can falsify the results of later files; 0 gives each file its own process."""


class SandboxError(Exception):
    """A sandbox process crashed or exceeded a limit.

    Args:
        kind: `crashed`; `timeout`: no heartbeat within the limits; `memory`; `budget`: the CPU time is used up.
        detail: text for messages, with the value of the limit.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


class Watch:
    """Checks one process against its limits."""

    def __init__(self, pid: int, limits: SandboxLimits) -> None:
        self.limits = limits
        self._process: psutil.Process | None = None
        with suppress(psutil.Error):  # it has ended; reading from it reports how
            self._process = psutil.Process(pid)
        self._cpu_s: float | None = None
        self._used_s = self._used_at_begin_s = self._used_at_sign_s = 0.0
        self._looked = self._sign = time.monotonic()

    def begin(self, cpu_s: float | None) -> None:
        """Starts a call, which may take `cpu_s` CPU seconds (None: any number)."""
        self._cpu_s, self._used_s = cpu_s, self.used_s()
        self._used_at_begin_s = self._used_s
        self.heartbeat()

    def heartbeat(self) -> None:
        """Restarts the limits on stalling: a message has arrived, or the process may have waited for its caller."""
        self._sign, self._used_at_sign_s = time.monotonic(), self._used_s

    def end(self) -> None:
        """Ends a call. Raises SandboxError if it exceeded its CPU time after the last check."""
        self._used_s = self.used_s()
        self._check_budget()

    def used_s(self) -> float:
        """Returns the CPU seconds of the process; the last known value if it has ended."""
        with suppress(psutil.Error):
            if self._process:
                times = self._process.cpu_times()
                return float(times.user + times.system)
        return self._used_s

    def look(self) -> None:
        """Checks all limits, at most every LOOK_S seconds; to be called often.

        Raises:
            SandboxError: the process exceeds a limit.
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
            raise SandboxError("timeout", f"{allowed} without a heartbeat (stall_cpu_s)")
        if now - self._sign > self.limits.stall_s:
            raise SandboxError("timeout", f"{self.limits.stall_s:g} seconds without a heartbeat (stall_s)")

    def _check_budget(self) -> None:
        if self._cpu_s is not None and self._used_s - self._used_at_begin_s > self._cpu_s:
            raise SandboxError("budget", f"more than {self._cpu_s:g} CPU seconds")
