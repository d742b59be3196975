"""The dry-run scan: follows units through a phase without running stages, and finds those that a build would make."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Lock

import pyarrow as pa

from pipeline.engine.chain import REJECTED, chain
from pipeline.engine.committed import Committed, State
from pipeline.phases import Phase
from schemas.rows import Row
from workers.storage.store import Store

REMOTE_THREADS = 16  # the work is waiting for storage
LOCAL_THREADS = 4  # more take turns at the interpreter, which costs a third of the time
CHUNK_ROWS = 512
_MISSING = "missing_stage"


class DryRun:
    """Holds the scan of one phase; `counts` is the number of units by stage and `State`."""

    def __init__(self, phase: Phase, store: Store) -> None:
        self.counts: Counter[tuple[str, State]] = Counter()
        self._lock = Lock()
        self._threads = LOCAL_THREADS if store.is_local else REMOTE_THREADS
        self.schemas = chain(phase.schema, phase.stages, phase.passthrough)
        self._stages = [
            Committed(stage, store, schema) for stage, schema in zip(phase.stages, self.schemas[1:], strict=True)
        ]

    def __call__(self, tables: Iterator[pa.Table]) -> Iterator[tuple[Row, list[Row]]]:
        """Yields each input row with its output rows."""
        rows = (row for table in tables for row in _entering(table, self.schemas[0]))
        with ThreadPoolExecutor(self._threads) as pool:
            # In chunks, since the pool's map would read all rows at once.
            while chunk := list(islice(rows, CHUNK_ROWS)):
                yield from zip(chunk, pool.map(self._follow, chunk), strict=True)

    def _follow(self, row: Row) -> list[Row]:
        rows = [row]
        for committed in self._stages:
            rows = [out for row in rows for out in self._leaving(committed, row)]
        return rows

    def _leaving(self, committed: Committed, row: Row) -> Iterator[Row]:
        if row["reject"] or is_missing(row):
            yield row
            return
        found = committed.find(row)
        with self._lock:
            self.counts[committed.stage.name, found.state] += 1
        if found.state is State.DONE:
            yield from committed.emit(row, found.unit["unit_path"])
        elif found.state is State.REJECTED:
            yield {**row, "reject": found.reject}
        else:
            yield {**row, _MISSING: committed.stage.name}


def is_missing(row: Row) -> bool:
    """Returns whether the scan of a row stopped at a unit that a build would make."""
    return _MISSING in row


def split_done(scan: DryRun, tables: Iterator[pa.Table], take: Callable[[list[Row]], None]) -> Iterator[Row]:
    """Yields the input rows that a run must process; the output rows of all others are passed to `take`."""
    for row, left in scan(tables):
        if any(is_missing(r) for r in left):
            yield row
        else:
            take(left)


def _entering(table: pa.Table, schema: pa.Schema) -> list[Row]:
    return table.append_column(REJECTED, pa.nulls(table.num_rows, REJECTED.type)).select(schema.names).to_pylist()
