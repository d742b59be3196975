"""Counts how often processes have crashed on a unit within one run of a build.

While a process works on a unit, a marker says so; where the same run finds it again, that process has crashed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schemas.rejects import Reject
from workers.storage.store import Store

RUNNING = ".running"


@dataclass(frozen=True)
class CrashCounter:
    """The crashes of one run."""

    store: Store
    run_id: str
    """Tells the crashes in this run from those in an earlier one."""
    max_crashes: int = 5
    """A unit on which processes crashed this often is rejected."""

    @contextmanager
    def attempt(self, path: str) -> Iterator[None]:
        """Marks a unit while the block works on it. Raises Reject, `worker_died`, where it has crashed too often."""
        marker = f"{RUNNING}/{self.run_id}/{path.replace('/', '_')}.json"
        crashes = self.store.read_json(marker)["crashes"] + 1 if self.store.exists(marker) else 0
        try:
            if crashes >= self.max_crashes:
                raise Reject("worker_died", f"{crashes} processes died on it in this run")
            self.store.write_json(marker, {"crashes": crashes})
            yield
        finally:
            self.store.delete(marker)
