"""What the workers of a run tell its driver, besides the lines of the log."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Started:
    """All workers have been placed, and the first of them runs."""

    room: Any
    """The placement group that reserves what they need."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A worker met an error that it would meet again: the run ends."""

    message: str
    """A line for the user."""
    traceback: str = ""
    """Where it is a fault of the code."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Ray Train has ended the run."""

    lost: str = ""
    """Why the workers were lost, more often than `max_failures`; empty where they all came to their end."""
