"""Looks at what stands: follows units through a phase and runs nothing. What is missing, a build would do."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Lock

import pyarrow as pa

from pipeline.engine.chain import REJECTED, chain
from pipeline.engine.unit_runner import Commit, Row
from pipeline.phases import Phase
from workers.storage.store import Store

THREADS = 16  # the work is waiting for storage
CHUNK_ROWS = 512


class Walk:
    """Follows the rows of one phase; `counts` holds (stage, "kept" | "rejected" | "missing") of the units met."""

    def __init__(self, phase: Phase, store: Store) -> None:
        self.counts: Counter = Counter()
        self._lock = Lock()
        self.schemas = chain(phase.schema, phase.stages, phase.keeps)
        self._looks = [
            Commit(stage, store, schema, dry=True, report=self._count)
            for stage, schema in zip(phase.stages, self.schemas[1:], strict=True)
        ]

    def __call__(self, tables: Iterator[pa.Table]) -> Iterator[tuple[Row, list[Row]]]:
        """Each row that enters, with all rows that leave for it."""
        rows = (row for table in tables for row in _entering(table, self.schemas[0]))
        with ThreadPoolExecutor(THREADS) as pool:
            # By the chunk: a pool's map would take in all rows at once.
            while chunk := list(islice(rows, CHUNK_ROWS)):
                yield from zip(chunk, pool.map(self._follow, chunk), strict=True)

    def _follow(self, row: Row) -> list[Row]:
        rows = [row]
        for look in self._looks:
            rows = [out for row in rows for out in ([row] if row["reject"] else look.unit(row))]
        return rows

    def _count(self, stage: str, outcome: str) -> None:
        with self._lock:
            self.counts[stage, outcome] += 1


def is_missing(row: Row) -> bool:
    return bool(row["reject"]) and row["reject"]["reason"] == "missing"


def split_done(walk: Walk, tables: Iterator[pa.Table], take: Callable[[list[Row]], None]) -> Iterator[Row]:
    """Yields the rows that a run must do; what leaves for all others is given to `take`."""
    for row, left in walk(tables):
        if any(is_missing(r) for r in left):
            yield row
        else:
            take(left)


def _entering(table: pa.Table, schema: pa.Schema) -> list[Row]:
    return table.append_column(REJECTED, pa.nulls(table.num_rows, REJECTED.type)).select(schema.names).to_pylist()
