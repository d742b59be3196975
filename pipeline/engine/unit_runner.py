"""Runs one stage on units and commits each by writing one file, completely or not at all.

A resumed build uses the same code: committed units are passed on by reference.
"""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa

from pipeline.engine.committed import Committed, Found, State, reject_row
from pipeline.engine.crash_counter import CrashCounter
from schemas.rejects import BuildStopped, Reject
from schemas.rows import RejectRow, Row
from schemas.stage import Output
from workers.fetch.redaction import scrub_text

Outcome = Literal["kept", "done", "rejected", "failed"]
OUTCOMES = pa.field("outcomes", pa.list_(pa.string()))
"""The outcomes of the units that a row was made from, each as "STAGE OUTCOME". After a fan-out, only the first row of a
unit has the earlier outcomes, so that the output rows of a chain contain each unit once."""


@dataclass
class UnitRunner:
    """Runs one stage on the units of one corpus, in one process. Called with a table of rows, it yields tables."""

    committed: Committed
    crashes: CrashCounter
    report: Callable[[str, Outcome], None] = field(default=lambda stage, outcome: None)
    """Called with the stage's name for each unit, while the build runs."""

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        """Yields one table of output rows per input row; rejected rows are passed on."""
        emitted = self.committed.emitted
        for row in table.to_pylist():
            rows = [row] if row["reject"] else list(self.run(row))
            yield pa.Table.from_pylist([{n: r.get(n) for n in emitted.names} for r in rows], emitted)

    def run(self, row: Row) -> Iterator[Row]:
        """Yields the output rows of one row."""
        found, stage = self.committed.find(row), self.committed.stage
        outcome: Outcome = "kept"
        reject = found.reject
        if found.state is State.REJECTED:
            outcome = "rejected"
        elif found.state is State.MISSING:
            outcome, reject = self._make(found, row)
        self.report(stage.name, outcome)
        row = {**row, OUTCOMES.name: [*(row.get(OUTCOMES.name) or ()), f"{stage.name} {outcome}"]}
        if reject:
            yield {**row, "reject": reject}
            return
        for number, out in enumerate(self.committed.emit(row, found.unit["unit_path"])):
            yield {**out, OUTCOMES.name: []} if number else out

    def _make(self, found: Found, row: Row) -> tuple[Outcome, RejectRow | None]:
        path, stage, store = found.unit["unit_path"], self.committed.stage, self.committed.store
        make = self._stage_run  # a worker that cannot start (missing weights, for example) ends the build
        try:
            with self.crashes.attempt(path):
                self._write(path, make(found.unit))
        except Reject as expected:
            reject = reject_row(stage, row, expected.reason, expected.detail, found.attempts + 1)
            store.write_json(f"{path}.reject.json", {**reject})
            return "rejected", {**reject, "path": f"{path}.reject.json"}
        except BuildStopped:
            raise
        except Exception as error:  # noqa: BLE001  # the other units are made, and the build reports this one at its end
            reject = reject_row(stage, row, "failed", scrub_text(f"{type(error).__name__}: {error}"), found.attempts)
            store.write_json(f"{path}.error.json", {**reject, "traceback": scrub_text(traceback.format_exc())})
            return "failed", {**reject, "path": f"{path}.reject.json"}
        store.delete(f"{path}.reject.json")
        store.delete(f"{path}.error.json")
        return "done", None

    def _write(self, path: str, result: Output) -> None:
        stage, store = self.committed.stage, self.committed.store
        if isinstance(result, dict):
            store.write_tensors(path, result)
        else:
            store.write_tables(path, result, stage.writes)

    @cached_property
    def _stage_run(self) -> Callable[[Row], Any]:
        """Made for the first unit, so that a resumed build with nothing to do loads no weights."""
        return self.committed.stage.make(self.committed.store)
