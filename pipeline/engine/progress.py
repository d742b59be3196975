"""Counts of units a stage, from all workers to one place; shown as bars on a terminal, as lines in a pipe."""

import uuid
from collections import Counter
from typing import NamedTuple

import ray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

BARS_EVERY_S, LINE_EVERY_S = 0.5, 10.0


class Count(NamedTuple):
    """What one life of the tally has counted."""

    life: str
    is_first: bool
    counts: Counter


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
class Tally:
    """Counts (stage, outcome) for the eye only: a killed worker's unit may be counted twice, and killed itself it
    starts again from nothing."""

    def __init__(self) -> None:
        self.counts: Counter = Counter()
        self.life = uuid.uuid4().hex
        self.is_first = not ray.get_runtime_context().was_current_actor_reconstructed

    def add(self, stage: str, outcome: str) -> None:
        self.counts[stage, outcome] += 1

    def read(self) -> Count:
        return Count(self.life, self.is_first, self.counts)


class Display:
    """Shows a phase while it runs. `totals` are the units known before it starts, a stage; None where not known yet."""

    def __init__(self, stages: list[str], total: int, fans_out: str | None) -> None:
        self._console = Console(stderr=True)
        self._live = self._console.is_terminal
        self.every_s = BARS_EVERY_S if self._live else LINE_EVERY_S
        self._stages, self._total, self._fans_out = stages, total, fans_out
        self._lives: dict[str, Counter] = {}
        self.counts: Counter = Counter()
        self.is_exact = True
        """False where the tally was killed: what it had counted since it was last read is missing."""
        self._bars = Progress(
            TextColumn("{task.description:>10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rejected]} rejected"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._live,
        )
        known = stages if fans_out is None else stages[: stages.index(fans_out) + 1]
        self._tasks = {
            name: self._bars.add_task(name, total=total if name in known else None, rejected=0) for name in stages
        }

    def __enter__(self) -> "Display":
        self._bars.start()
        return self

    def __exit__(self, *exc) -> None:
        self._bars.stop()

    def update(self, count: Count) -> None:
        """Shows new counts, every `every_s` and at last: (stage, outcome) to units since the display began."""
        self._lives[count.life] = count.counts
        self.counts = counts = sum(self._lives.values(), Counter())
        self.is_exact &= count.is_first
        for name, task in self._tasks.items():
            done = sum(n for (stage, _), n in counts.items() if stage == name)
            self._bars.update(task, completed=done, rejected=counts[name, "rejected"] + counts[name, "failed"])
        if not self._live:
            self._console.print(" | ".join(self._line(name, counts) for name in self._stages), highlight=False)

    def _line(self, name: str, counts: Counter) -> str:
        parts = [f"{counts[name, outcome]} {outcome}" for outcome in ("done", "kept", "rejected", "failed")]
        return f"{name}: " + (", ".join(p for p in parts if not p.startswith("0 ")) or "0 done")
