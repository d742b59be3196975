"""The messages of the workers of a run to its driver, besides the lines of the log."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Started:
    """Reports that all workers have been placed, and the first of them runs."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Reports that a worker failed with an error that would occur again: the run ends."""

    message: str
    """The message for the user."""
    traceback: str = ""
    """The traceback, if the code is at fault."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Reports that Ray Train has ended the run."""

    lost: str = ""
    """Why workers were lost more than `max_failures` times; empty if all of them finished."""
