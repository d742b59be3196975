"""Runs one stage on units and commits each: one file, written whole or not at all, whose existence is the commit.

A resume is the same code as a run: committed units are handed on by reference.
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
"""Of a row: "STAGE OUTCOME" of each unit that it came by. Behind a fan-out only the first row of a unit has what was
before, so that all rows that leave a chain hold each unit once."""


@dataclass
class UnitRunner:
    """One stage over one corpus, for as long as a process lives. Called with rows as a table, yields rows as tables."""

    committed: Committed
    crashes: CrashCounter
    report: Callable[[str, Outcome], None] = field(default=lambda stage, outcome: None)
    """Called with the stage's name for each unit, while the build runs."""

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        emitted = self.committed.emitted
        for row in table.to_pylist():
            rows = [row] if row["reject"] else list(self.run(row))
            yield pa.Table.from_pylist([{n: r.get(n) for n in emitted.names} for r in rows], emitted)

    def run(self, row: Row) -> Iterator[Row]:
        """The rows that leave for one row."""
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
        make = self._stage_run  # a worker that cannot start (no weights, say) is no unit's fault: it ends the build
        try:
            with self.crashes.attempt(path):
                self._write(path, make(found.unit))
        except Reject as expected:
            reject = reject_row(stage, row, expected.reason, expected.detail, found.attempts + 1)
            store.write_json(f"{path}.reject.json", {**reject})
            return "rejected", {**reject, "path": f"{path}.reject.json"}
        except BuildStopped:
            raise
        except Exception as error:
            # Not expected: the others go on, and the build ends with this unit and its traceback before the user.
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
        """Made when the first unit needs it: a resume with nothing to do loads no weights."""
        return self.committed.stage.make(self.committed.store)
