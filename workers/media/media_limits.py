"""What reading a media file may cost: limits of the sandbox, and budgets by the size and duration of the file."""

from pathlib import Path

from pydantic import Field

from workers.sandbox.limits import SandboxLimits

# Several times what honest files were seen to take. A file is allowed what its size and its duration both account for:
# neither an hour of nothing in a kilobyte nor a gigabyte of one second may cost what an hour of film does.
_PROBE_CPU_S_PER_MB = 2.0
_CPU_S_PER_MB, _CPU_S_PER_S = 100.0, 20.0  # a still slide of 4K has few bytes; AV1 of 8K takes many seconds
_PIXELS_PER_MB, _PIXELS_PER_S = 2e11, 2e9
# And every file this much, each segment its share of it, but never less than the second.
_FLOOR_CPU_S, _LEAST_CPU_S = 60.0, 10.0
_FLOOR_PIXELS, _LEAST_PIXELS = 4e9, 1e9


class MediaLimits(SandboxLimits):
    """Sets the limits for reading a media file."""

    budget: float = Field(1.0, gt=0, le=1000)
    """Scales the CPU seconds and the pixels that a file may cost by its size and duration: 100 CPU seconds and 200,000
    megapixels per megabyte, 20 and 2,000 per second, the less of both, and 60 and 4,000 for each file."""


def size_bytes(path: str | Path) -> int:
    """Returns the size of a file; 0 if it cannot be found, since opening it raises the error."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def probe_cpu_s(path: str | Path, limits: MediaLimits) -> float:
    """Returns the limit of CPU seconds for reading the packets of a file."""
    return (_FLOOR_CPU_S + _PROBE_CPU_S_PER_MB * size_bytes(path) / 1e6) * limits.budget


def budget_of(size: int, duration_s: float, segment_s: float) -> tuple[float, float]:
    """Returns the limits of CPU seconds and decoded pixels of a segment."""
    share = min(1.0, segment_s / duration_s) if duration_s > 0 else 1.0
    megabytes = size / 1e6
    cpu_s = min(_CPU_S_PER_MB * megabytes, _CPU_S_PER_S * duration_s) * share
    pixels = min(_PIXELS_PER_MB * megabytes, _PIXELS_PER_S * duration_s) * share
    return cpu_s + max(_FLOOR_CPU_S * share, _LEAST_CPU_S), pixels + max(_FLOOR_PIXELS * share, _LEAST_PIXELS)
