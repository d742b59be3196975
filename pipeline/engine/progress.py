"""Shows how far a phase has come while it runs: as bars on a terminal, as lines in a pipe."""

import json
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import takewhile

from ray.exceptions import RpcError
from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_get, _internal_kv_list, _internal_kv_put
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from schemas.stage import Stage

BARS_EVERY_S, LINE_EVERY_S = 0.5, 10.0
_NAMESPACE = "longvid"


class ProgressCounter:
    """Counts (stage, outcome) of all workers of a phase, for the display only.

    Each process keeps what it has counted in the key-value store of the Ray session, under a key of its own. An actor
    would be one process more, which takes half a second of CPU time to start. A store that does not answer is ignored.
    """

    def __init__(self) -> None:
        self._prefix = f"progress/{uuid.uuid4().hex}/"

    def add(self, stage: str, outcome: str) -> None:
        """Counts one unit."""
        key, counts = _of_process(self._prefix)
        counts[f"{stage} {outcome}"] += 1
        with suppress(RpcError):
            _internal_kv_put(key, json.dumps(counts), namespace=_NAMESPACE)

    def read(self) -> Counter[tuple[str, str]]:
        """Returns the counts so far."""
        total: Counter[tuple[str, str]] = Counter()
        with suppress(RpcError):
            for key in _internal_kv_list(self._prefix, namespace=_NAMESPACE):
                for name, count in json.loads(_internal_kv_get(key, namespace=_NAMESPACE) or "{}").items():
                    stage, outcome = name.split()
                    total[stage, outcome] += count
        return total

    def close(self) -> None:
        """Deletes the counts."""
        with suppress(RpcError):
            _internal_kv_del(self._prefix, del_by_prefix=True, namespace=_NAMESPACE)


@lru_cache(maxsize=8)
def _of_process(prefix: str) -> tuple[str, Counter[str]]:
    """Returns the key of this process, and what it has counted."""
    return f"{prefix}{uuid.uuid4().hex}", Counter()


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
