"""Finds out what a stage has committed for a unit, from the unit's files. Nothing here runs a stage.

A unit's file may be accompanied by `.reject.json` (the unit cannot be made) or `.error.json` (the code failed on it:
the error is reported to the user, and the next build tries again).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.tables.damage import naming
from schemas.messages import is_text, message
from schemas.rows import RejectRow, Row
from schemas.stage import Stage
from workers.storage.store import Store


class State(Enum):
    """Names the state of a unit in a corpus."""

    DONE = "done"
    REJECTED = "rejected"
    MISSING = "missing"
    """Not made yet, or a reject that is to be tried again."""


class Found(NamedTuple):
    """Holds the result of `Committed.find`."""

    state: State
    unit: Row
    """The columns that the stage reads, and `unit_path`."""
    reject: RejectRow | None = None
    """The row's column `reject`, if the unit is rejected."""
    attempts: int = 0
    """Number of earlier rejections, if the unit is missing."""


@dataclass(frozen=True)
class Committed:
    """Finds the units that one stage has committed in one corpus."""

    stage: Stage
    store: Store
    emitted: pa.Schema
    """Schema of the rows that leave the stage."""

    def find(self, row: Row) -> Found:
        """Returns the state of the unit of a row. Raises DamagedFile for a file that the stage did not write."""
        unit = {name: row[name] for name in self.stage.reads.names}
        unit["unit_path"] = path = self.stage.unit_path(unit)
        with naming(path):
            if self.store.exists(path) and (not self.stage.is_complete or self.stage.is_complete(unit, self.store)):
                return Found(State.DONE, unit)
        if (reject := self._reject(f"{path}.reject.json")) is None:
            return Found(State.MISSING, unit)
        if reject.pop("retry", False):
            return Found(State.MISSING, unit, attempts=reject["attempts"])
        return Found(State.REJECTED, unit, reject)

    def _reject(self, path: str) -> Any:
        """Returns the reject that `reject_row` made; None if there is none, or a file that it cannot have made."""
        if not self.store.exists(path):
            return None
        try:
            reject = self.store.read_json(path)
            texts = [reject[name] for name in ("kind", "stage", "reason", "detail")]
            texts += [text for name in ("unit", "video_id", "name") if (text := reject[name]) is not None]
            is_sound = (
                all(map(is_text, texts)) and type(reject["attempts"]) is int and 0 <= reject["attempts"] < 1 << 31
            )
        except (ValueError, TypeError, KeyError):
            return None
        return {**reject, "path": path} if is_sound else None

    def emit(self, row: Row, path: str) -> Iterator[Row]:
        """Yields the output rows of a committed unit. Raises DamagedFile, as `find` does."""
        row = {**row, f"{self.stage.name}_unit": path}
        if self.stage.emits == "unit":
            yield row
        else:
            wanted = pa.schema([f for f in self.stage.writes or () if f.name in self.emitted.names])
            with naming(path):
                units = self.store.read_table(path, wanted.names).select(wanted.names).cast(wanted).to_pylist()
            for written in units:
                yield {**row, **written}


def reject_row(stage: Stage, row: Row, reason: str, detail: str, attempts: int) -> RejectRow:
    """Returns the content of a unit's `.reject.json`: a row of the table `rejects` without its path."""
    named = {"video": row.get("name"), "segment": row.get("segment_id"), "shard": row.get("shard")}
    return {
        "unit": named.get(stage.kind, stage.kind) or row.get("video_id"),
        "kind": stage.kind,
        "stage": stage.name,
        "video_id": row.get("video_id"),
        "name": row.get("name"),
        "reason": reason,
        "detail": message(detail),
        "attempts": attempts,
    }
