"""Runs one stage on units and commits each: one file, written whole or not at all, whose existence is the commit.

A resume is the same code as a run: what stands is passed on by reference. Beside a unit's file may lie `.reject.json`
(it cannot be done) or `.error.json` (the code failed on it: shown to the user, tried again by the next build). While a
process works on a unit, a marker in `.running` says so: found again by the same run, that process has died.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from pipeline.engine.chain import REJECTED
from schemas.messages import message
from schemas.rejects import BuildStopped, Reject
from schemas.stage import Stage
from workers.fetch.redaction import scrub_text
from workers.storage.store import Store

Row = dict[str, Any]
RUNNING = ".running"


@dataclass
class Commit:
    """One stage over one corpus, for as long as a process lives. Called with rows as a table, yields rows as tables."""

    stage: Stage
    store: Store
    passing: pa.Schema
    """Schema of the rows that leave."""
    run_id: str = ""
    """Tells the deaths in this run from those of an earlier one."""
    max_crashes: int = 5
    """A unit whose process died this often within one run is rejected."""
    report: Callable[[str, str], None] = lambda stage, outcome: None
    """Called as (stage, "done" | "kept" | "rejected" | "failed") for each unit."""
    dry: bool = False
    """Only look: a unit that has not been done yields a row whose reject has the reason `missing`."""
    _worker: Callable | None = field(default=None, repr=False)

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        for row in table.to_pylist():
            rows = [row] if row["reject"] else list(self.unit(row))
            yield pa.Table.from_pylist([{n: r.get(n) for n in self.passing.names} for r in rows], self.passing)

    def unit(self, row: Row) -> Iterator[Row]:
        """The rows that go on from one unit."""
        unit = {name: row[name] for name in self.stage.reads.names}
        unit["unit_path"] = path = self.stage.unit_path(unit)
        reject: Row | None = None
        if self._stands(unit):
            outcome = "kept"
        elif self.store.exists(f"{path}.reject.json"):
            reject = self.store.read_json(f"{path}.reject.json")
            outcome = "rejected"
            if reject.pop("retry", False):
                outcome, reject = self._do(unit, row, reject["attempts"])
        else:
            outcome, reject = self._do(unit, row, 0)
        self.report(self.stage.name, outcome)
        if reject:
            yield {**row, "reject": {**reject, "path": f"{path}.reject.json"}}
        else:
            yield from self._pass(row, path)

    def _stands(self, unit: Row) -> bool:
        return self.store.exists(unit["unit_path"]) and (not self.stage.stands or self.stage.stands(unit, self.store))

    def _do(self, unit: Row, row: Row, attempts: int) -> tuple[str, Row | None]:
        path = unit["unit_path"]
        if self.dry:
            return "missing", self._reject(row, "missing", "", attempts)
        reject: Row | None = None
        run = self._run()  # a worker that cannot start (no weights, say) is no unit's fault: it ends the build
        try:
            self._count_death(path)
            self._write(path, run(unit))
        except Reject as expected:
            reject = self._reject(row, expected.reason, expected.detail, attempts + 1)
            self.store.write_json(f"{path}.reject.json", reject)
            outcome = "rejected"
        except BuildStopped:
            self.store.delete(self._marker(path))
            raise
        except Exception as error:
            # Not expected: the others go on, and the build ends with this unit and its traceback before the user.
            reject = self._reject(row, "failed", scrub_text(f"{type(error).__name__}: {error}"), attempts)
            self.store.write_json(f"{path}.error.json", {**reject, "traceback": scrub_text(traceback.format_exc())})
            outcome = "failed"
        else:
            outcome = "done"
            self.store.delete(f"{path}.reject.json")
            self.store.delete(f"{path}.error.json")
        self.store.delete(self._marker(path))
        return outcome, reject

    def _write(self, path: str, result: Any) -> None:
        if self.stage.writes is None:
            self.store.write_tensors(path, result)
        else:
            self.store.write_tables(path, result, self.stage.writes)

    def _run(self) -> Callable[[Row], Any]:
        """The worker, made when the first unit needs it: a resume with nothing to do loads no weights."""
        if self._worker is None:
            run, config, store = self.stage.run, self.stage.config, self.store
            is_worker = inspect.isclass(run)
            self._worker = run(config, store) if is_worker else partial(run, config=config, store=store)
        return self._worker

    def _count_death(self, path: str) -> None:
        marker = self._marker(path)
        deaths = self.store.read_json(marker)["deaths"] + 1 if self.store.exists(marker) else 0
        if deaths >= self.max_crashes:
            raise Reject("worker_died", f"{deaths} processes died on it in this run")
        self.store.write_json(marker, {"deaths": deaths})

    def _marker(self, path: str) -> str:
        return f"{RUNNING}/{self.run_id}/{path.replace('/', '_')}.json"

    def _pass(self, row: Row, path: str) -> Iterator[Row]:
        row = {**row, f"{self.stage.name}_unit": path}
        if self.stage.passes == "path":
            yield row
        else:
            wanted = [f.name for f in self.stage.writes or () if f.name in self.passing.names]
            for written in self.store.read_table(path, wanted).to_pylist():
                yield {**row, **written}

    def _reject(self, row: Row, reason: str, detail: str, attempts: int) -> Row:
        named = {"video": row.get("name"), "segment": row.get("segment_id"), "shard": row.get("shard")}
        reject = {
            "unit": named[self.stage.kind] or row.get("video_id"),
            "kind": self.stage.kind,
            "stage": self.stage.name,
            "video_id": row.get("video_id"),
            "name": row.get("name"),
            "reason": reason,
            "detail": message(detail),
            "attempts": attempts,
        }
        assert {*reject, "path"} == {f.name for f in REJECTED.type}
        return reject
