"""What a child may take that may hang, run away or eat memory: who waits for it looks after it meanwhile."""

import os
import resource
import select
import socket
import time
from pathlib import Path

from pydantic import Field

from schemas.config import Config
from schemas.rejects import Reject

_LOOK_S = 0.25


class MediaLimits(Config):
    """What a child may take. Generous: a file is rejected for what it does, not for how busy the machine is."""

    memory_mb: int = Field(4096, ge=256)
    """Memory of a child. A file may take three quarters of it; what others before it left behind has the rest."""
    stall_cpu_s: float = Field(300.0, gt=0)
    """CPU seconds without a sign of work (a picture, packets read): a runaway."""
    stall_s: float = Field(3600.0, gt=0)
    """Seconds without one: a hang."""
    max_calls: int = Field(500, ge=1)
    """Files after which a child is replaced: decoders leak. Sooner where they left a quarter of its memory behind."""


def wait_for_child(pid: int, link: socket.socket, limits: MediaLimits) -> None:
    """Returns when there is something to read from a child. Raises Reject `decoder_memory` or `decoder_timeout`."""
    start, cpu_start = time.monotonic(), None
    while not select.select([link], [], [], _LOOK_S)[0]:
        usage = _usage(pid)
        if usage is None:
            continue  # gone, or not to be seen on this system: reading says
        cpu_s, resident = usage
        cpu_start = cpu_s if cpu_start is None else cpu_start
        if resident > limits.memory_mb << 20:
            raise Reject("decoder_memory", f"above {limits.memory_mb} MB")
        if cpu_s - cpu_start > limits.stall_cpu_s:
            raise Reject("decoder_timeout", f"{limits.stall_cpu_s:g} CPU seconds without a picture")
        if time.monotonic() - start > limits.stall_s:
            raise Reject("decoder_timeout", f"{limits.stall_s:g} seconds without a picture")


def _usage(pid: int) -> tuple[float, int] | None:
    """CPU seconds and resident bytes of a process; None where /proc doesn't tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * resource.getpagesize()
