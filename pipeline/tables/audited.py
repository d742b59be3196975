"""The table `qa`: the pairs of all videos with the findings of `audit_qa`."""

import hashlib
from collections.abc import Iterator, Mapping

import pyarrow as pa

from pipeline.tables.left_out import COLUMNS, LeftOut
from pipeline.tables.workspace import Workspace
from schemas.tables.media import VIDEO
from schemas.tables.qa import AUDIT, QA, SHARE_ALIKE
from stages.group import share_alike_of
from workers.storage.store import Store

WRITTEN = pa.schema([f for f in QA if f.name not in ("select_queries", "merge_query")])
FOUND = pa.schema([f for f in AUDIT if f.name not in ("video_id", "qa_id")])
QA_TABLE = pa.schema([*WRITTEN, VIDEO.field("licence"), SHARE_ALIKE, *FOUND])


class DamagedUnit(ValueError):
    """A unit's file does not have the contents that its stage wrote. The message contains its name and the remedy."""


def qa_units(work: Workspace) -> tuple[list[str], list[str]]:
    """Returns the paths of the units of the table `qa`: the pairs by video, and their audit, if any."""
    ready = "reject is null"
    written = work.table("questions").filter(ready).sort("video_id").select("write_qa_unit").fetchall()
    audited = work.table("audit_qa").filter(ready).select("audit_qa_unit").fetchall()
    return [path for (path,) in written], [path for (path,) in audited]


def licences_of_videos(work: Workspace) -> dict[str, str | None]:
    """Returns the licence of each video."""
    return {row["video_id"]: row["licence"] for row in work.rows("select video_id, licence from videos")}


def made_of(written: list[str], audited: list[str], left_out: LeftOut, licences: Mapping[str, str | None]) -> str:
    """Returns a digest of the sources of the table."""
    told = [*written, "", *audited, *(left_out.names() if left_out else [])]
    told += ["", *(f"{video_id} {licence!r}" for video_id, licence in sorted(licences.items()))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def with_audit(
    pairs: Iterator[pa.Table],
    audited: list[str],
    left_out: LeftOut,
    store: Store,
    licences: Mapping[str, str | None] | None = None,
) -> Iterator[pa.Table]:
    """Yields the pairs with the columns of FOUND, the licence of their videos and what that asks for.

    The columns are null where pairs are not audited yet; `dropped` has the reason for what is left out.

    Both have the order of the videos' ids, and within a video that of its unit. Raises DamagedUnit where they differ.
    """
    found = pa.concat_tables([store.read_table(path) for path in audited] or [AUDIT.empty_table()])
    begin = 0
    for table in pairs:
        own = found.slice(begin, table.num_rows)
        begin += table.num_rows
        if not audited:
            own = pa.table({f.name: pa.nulls(table.num_rows, f.type) for f in AUDIT}, AUDIT)
        elif own["qa_id"].to_pylist() != table["qa_id"].to_pylist():
            raise DamagedUnit(f"{audited[0]}: is not row by row of the pairs: delete the file and build again")
        if left_out:
            own = own.set_column(own.schema.get_field_index("dropped"), "dropped", _marked(table, own, left_out))
        columns = dict(zip(table.schema.names, table.columns, strict=True)) | {name: own[name] for name in FOUND.names}
        yield pa.table({**columns, **_licensed(table, licences or {})}, QA_TABLE)


def _licensed(pairs: pa.Table, licences: Mapping[str, str | None]) -> dict[str, pa.Array]:
    rows = pairs.select(["video_id", "annotations"]).to_pylist()
    found = [licences.get(row["video_id"]) for row in rows]
    terms = [share_alike_of(row, licence) for row, licence in zip(rows, found, strict=True)]
    return {"licence": pa.array(found, pa.string()), SHARE_ALIKE.name: pa.array(terms, SHARE_ALIKE.type)}


def _marked(pairs: pa.Table, found: pa.Table, left_out: LeftOut) -> pa.Array:
    rows = zip(pairs.select(COLUMNS).to_pylist(), found["dropped"].to_pylist(), strict=True)
    return pa.array([left_out.reason(pair) or dropped for pair, dropped in rows], pa.string())
