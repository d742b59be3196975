"""The tables for users: what units and phases hold, gathered into few large Parquet files that DuckDB reads.

A table is rewritten only when the units it is made of change, and never depends on the order in which they were done.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pyarrow as pa

from pipeline.engine.chain import REJECTED
from pipeline.tables.audited import (
    QA_TABLE,
    WRITTEN,
    DamagedUnit,
    licences_of_videos,
    made_of,
    qa_units,
    with_audit,
)
from pipeline.tables.damage import UNREADABLE
from pipeline.tables.decoded import ANNOTATED_VIDEOS, SEGMENT_TABLE, SEGMENTS, VIDEO_TABLE, VIDEOS, count_decoded
from pipeline.tables.left_out import read_left_out
from pipeline.tables.workspace import Workspace, regroup
from schemas.tables import REJECT
from schemas.tables.media import DUPLICATE, SHOT
from schemas.tables.qa import DROPPED, DROPPED_KEY
from schemas.tables.shards import SAMPLE, SELECTION
from schemas.tables.text import EVENT
from workers.storage.files import COPY_BYTES
from workers.storage.store import Store

ROW_GROUP_ROWS = 1 << 16
MADE_OF = "longvid.made_of"
SHOT_TABLE = pa.schema([f for f in SHOT if f.name not in ("embedding", "layouts")])

# A video is in `videos` or in `rejects`, never in both: what a later phase rejects leaves the former.
_LEFT_LATER = """where video_id not in (
    select video_id from find_shots where reject is not null
    union all select video_id from find_duplicates where reject is not null
    union all select video_id from annotations where reject is not null
    union all select video_id from questions where reject is not null
    union all select video_id from filter_qa where reject is not null
    union all select video_id from distill where reject is not null)"""

# By phase: tables whose rows the phases' results hold already, ...
FROM_RESULTS = {
    phase: {
        "videos": (VIDEO_TABLE, f"{videos} {left} order by video_id"),
        "segments": (SEGMENT_TABLE, f"{SEGMENTS} {left} order by video_id, segment_index"),
    }
    for phase, videos, left in (("ingest", VIDEOS, ""), ("distill", ANNOTATED_VIDEOS, _LEFT_LATER))
}
# ... and tables gathered from its units: the unit's column, the key their order follows, and, where a unit is one row,
# its list of structs that are the table's rows, or the key of the unit's metadata that holds them as JSON.
FROM_UNITS = {
    "find_shots": {"shots": (SHOT_TABLE, "find_shots_unit", "video_id", "")},
    "find_duplicates": {"duplicates": (DUPLICATE, "find_duplicates_unit", "video_id", "")},
    "questions": {
        "events": (EVENT, "annotate_unit", "video_id", "events"),
        "dropped": (DROPPED, "write_qa_unit", "video_id", DROPPED_KEY),
    },
    "distill": {"selections": (SELECTION, "select_unit", "video_id", "")},
    "pack": {"samples": (SAMPLE, "pack_unit", "shard", "")},
}

_REJECTS = """
    select distinct reject.* from rejected
    union all
    -- A video of which no segment is left is a rejected video, for the reason of its first segment.
    select name, 'video', arg_min(reject.stage, reject.unit), video_id, name, arg_min(reject.reason, reject.unit),
           arg_min(reject.detail, reject.unit), max(reject.attempts), null
    from ingest group by video_id, name
    having bool_and(reject is not null) and not bool_or(reject.kind = 'video')
    order by video_id, stage, unit, kind"""


def gather(phase: str, work: Workspace, store: Store, publish: bool) -> None:
    """Creates the tables of a phase in the workspace and, with `publish`, in the corpus."""
    if phase == "ingest":
        count_decoded(work, store)
    for name, (schema, query) in FROM_RESULTS.get(phase, {}).items():
        _put(name, work.sql(query, schema), schema, work, store, publish)
    for name, (schema, column, key, rows) in FROM_UNITS.get(phase, {}).items():
        units = [p for (p,) in work.table(phase).filter("reject is null").sort(key).select(column).fetchall()]
        digest = hashlib.sha256("\n".join(units).encode()).hexdigest()
        _put_units(name, _read_units(store, units, schema, rows), schema, digest, work, store, publish)
    if phase == "audit_qa":
        (written, audited), left_out, licences = qa_units(work), read_left_out(store), licences_of_videos(work)
        tables = with_audit(_read_units(store, written, WRITTEN, ""), audited, left_out, store, licences)
        digest = made_of(written, audited, left_out, licences)
        _put_units("qa", tables, QA_TABLE, digest, work, store, publish)


def _put_units(
    name: str, tables: Iterator[pa.Table], schema: pa.Schema, digest: str, work: Workspace, store: Store, publish: bool
) -> None:
    """Creates a table from units, or uses the published one if it has the same sources and is not damaged."""
    schema = schema.with_metadata({MADE_OF: digest})
    path = f"tables/{name}.parquet"
    try:
        if store.exists(path) and store.read_metadata(path, MADE_OF) == digest.encode():
            read = (table.replace_schema_metadata(None) for table in store.row_groups(path))
            _put(name, read, schema, work, store, publish=False)
            return
    except UNREADABLE:
        pass  # made anew below; `verify` names it
    _put(name, tables, schema, work, store, publish)


def gather_rejects(phases: list[str], work: Workspace, store: Store, publish: bool) -> None:
    """Creates the table `rejects`, over all phases done so far."""
    rejected = (work.table(phase).filter("reject is not null").select("reject") for phase in phases)
    schema = pa.schema([REJECTED])
    work.put("rejected", (table for rows in rejected for table in work.read(rows, schema)), schema)
    _put("rejects", work.sql(_REJECTS, REJECT), REJECT, work, store, publish)


def publish_query(name: str, query: str, schema: pa.Schema, work: Workspace, store: Store, publish: bool) -> None:
    """Writes the result of a query as a table in the workspace and, with `publish`, in the corpus."""
    _put(name, work.sql(query, schema), schema, work, store, publish)


def _put(
    name: str, tables: Iterable[pa.Table], schema: pa.Schema, work: Workspace, store: Store, publish: bool
) -> None:
    work.put(name, regroup(tables, ROW_GROUP_ROWS), schema)
    if publish:
        with work.path(name).open("rb") as source, store.writer(f"tables/{name}.parquet") as target:
            shutil.copyfileobj(source, target, COPY_BYTES)


def _read_units(store: Store, units: list[str], schema: pa.Schema, rows: str) -> Iterator[pa.Table]:
    def read(path: str) -> pa.Table:
        if not rows:
            return store.read_table(path, schema.names)
        if rows == DROPPED_KEY:
            return _from_json(path, store.read_metadata(path, rows) or b"[]", schema)
        return pa.Table.from_struct_array(store.read_table(path, [rows])[rows].combine_chunks().flatten())

    paths = iter(units)
    with ThreadPoolExecutor(8) as pool:
        while chunk := list(islice(paths, 256)):
            for table in pool.map(read, chunk):
                yield table.select(schema.names).replace_schema_metadata(None)


def _from_json(path: str, text: bytes, schema: pa.Schema) -> pa.Table:
    try:
        return pa.Table.from_pylist(json.loads(text), schema)
    except (ValueError, RecursionError, TypeError, AttributeError, pa.ArrowException) as error:
        told = f"its metadata is damaged ({type(error).__name__})"
        raise DamagedUnit(f"{path}: {told}: delete the file and build again") from None
