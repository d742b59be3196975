"""The table `qa`: the pairs of all videos, beside each what `audit_qa` found."""

import hashlib
from collections.abc import Iterator
from itertools import chain

import pyarrow as pa

from pipeline.tables.workspace import Workspace
from schemas.tables import AUDIT, QA
from workers.storage.store import Store

WRITTEN = pa.schema([f for f in QA if f.name not in ("select_queries", "merge_query")])
FOUND = pa.schema([f for f in AUDIT if f.name not in ("video_id", "qa_id")])
QA_TABLE = pa.schema([*WRITTEN, *FOUND])


def qa_units(work: Workspace) -> tuple[list[str], list[str]]:
    """Paths of the units that the table is made of: those of the pairs, by video, and that of their audit, if any."""
    ready = "reject is null"
    written = work.table("questions").filter(ready).sort("video_id").select("write_qa_unit").fetchall()
    audited = work.table("audit_qa").filter(ready).select("audit_qa_unit").fetchall()
    return [path for (path,) in written], [path for (path,) in audited]


def made_of(written: list[str], audited: list[str]) -> str:
    """A digest of what the table is made of."""
    return hashlib.sha256("\n".join([*written, "", *audited]).encode()).hexdigest()


def with_audit(pairs: Iterator[pa.Table], audited: list[str], store: Store) -> Iterator[pa.Table]:
    """The pairs with the columns of FOUND, null where they are not audited yet.

    Both have the order of the videos' ids, and within a video that of its unit. Raises ValueError where they differ.
    """
    found = pa.concat_tables([store.read_table(path) for path in audited] or [AUDIT.empty_table()])
    begin = 0
    for table in pairs:
        own = found.slice(begin, table.num_rows)
        begin += table.num_rows
        if not audited:
            own = pa.table({f.name: pa.nulls(table.num_rows, f.type) for f in AUDIT}, AUDIT)
        elif own["qa_id"].to_pylist() != table["qa_id"].to_pylist():
            raise ValueError(f"{audited[0]}: is not row by row of the pairs: delete the file and build again")
        yield pa.table(dict(chain(zip(table.schema.names, table.columns, strict=True), _columns(own))), QA_TABLE)


def _columns(found: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    return ((name, found[name]) for name in FOUND.names)
