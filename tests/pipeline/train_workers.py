"""The processes of a training run on Ray, for tests that kill one or wait for their end."""

from contextlib import suppress

import psutil


def train_workers() -> set[int]:
    """Process ids of Ray Train's workers below this process."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            if "RayTrainWorker" in " ".join(process.cmdline()):
                found.add(process.pid)
    return found
