"""Shows how far a phase has come while it runs: as bars on a terminal, as lines in a pipe."""

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from schemas.stage import Stage

BARS_EVERY_S, LINE_EVERY_S = 0.5, 10.0


class Display:
    """Displays a phase while it runs; `total` is the number of units of its first stage.

    The number of units after a fan-out is not known in advance.
    """

    def __init__(self, stages: Sequence[Stage], total: int) -> None:
        self._console = Console(stderr=True)
        self._live = self._console.is_terminal
        self.every_s = BARS_EVERY_S if self._live else LINE_EVERY_S
        self._counts: Counter[tuple[str, str]] = Counter()
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
        known = len([*takewhile(lambda stage: stage.fan_out != "1:N", stages)]) + 1
        self._tasks = {
            stage.name: self._bars.add_task(stage.name, total=total if number < known else None, rejected=0)
            for number, stage in enumerate(stages)
        }

    def __enter__(self) -> "Display":
        self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bars.stop()

    def update(self, counts: Counter[tuple[str, str]]) -> None:
        """Displays new counts of (stage, outcome); lower ones, of a store that did not answer, are ignored."""
        self._counts |= counts
        for name, task in self._tasks.items():
            done = sum(n for (stage, _), n in self._counts.items() if stage == name)
            rejected = self._counts[name, "rejected"] + self._counts[name, "failed"]
            self._bars.update(task, completed=done, rejected=rejected)
        if not self._live:
            self._console.print(" | ".join(map(self._line, self._tasks)), highlight=False)

    def _line(self, name: str) -> str:
        parts = [f"{self._counts[name, outcome]} {outcome}" for outcome in ("done", "kept", "rejected", "failed")]
        return f"{name}: " + (", ".join(p for p in parts if not p.startswith("0 ")) or "0 done")
