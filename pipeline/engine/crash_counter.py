"""Counts how often processes have crashed on a unit within one run of a build.

While a process works on a unit, there is a marker. If the same run finds the marker again, that process has crashed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schemas.rejects import Reject
from workers.storage.store import Store

RUNNING = ".running"


@dataclass(frozen=True)
class CrashCounter:
    """Counts the crashes of one run."""

    store: Store
    run_id: str
    """Distinguishes the crashes of this run from those of earlier ones."""
    max_crashes: int = 5
    """Number of crashes after which a unit is rejected."""

    @contextmanager
    def attempt(self, path: str) -> Iterator[None]:
        """Marks a unit while the block works on it. Raises Reject (`worker_died`) after too many crashes."""
        marker = f"{RUNNING}/{self.run_id}/{path.replace('/', '_')}.json"
        crashes = self.store.read_json(marker)["crashes"] + 1 if self.store.exists(marker) else 0
        try:
            if crashes >= self.max_crashes:
                raise Reject("worker_died", f"{crashes} processes died on it in this run")
            self.store.write_json(marker, {"crashes": crashes})
            yield
        finally:
            self.store.delete(marker)
