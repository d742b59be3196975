"""How much of each segment decoded: counted in its decode unit once, then known from the table `segments`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from pipeline.workspace import Workspace, read_batches
from schemas.tables import ANNOTATION, SEGMENT, VIDEO
from workers.storage import Store

DECODED = pa.schema(
    [
        ("decode_unit", pa.string()),  # where the frames lie, as JPEG
        ("num_frames", pa.int32()),
        ("num_wanted", pa.int32()),  # more than num_frames where some don't decode; null where there are none
    ]
)
SEGMENT_TABLE = pa.schema([*SEGMENT, *DECODED])
VIDEO_TABLE = pa.schema(
    [
        *VIDEO,
        ("decoded_share", pa.float64()),  # of the wanted frames; below 1 there is a flag "partly_decoded"
        ANNOTATION.field("events_outside_video"),  # null: not annotated yet; above 0 there is a flag of that name
    ]
)

# Ingest's results without its rejects, to which a condition on the video may be added.
VIDEOS = """
    select * exclude (flags), null as events_outside_video,
           flags || case when decoded_share < 1 then ['partly_decoded'] else [] end as flags
    from (select distinct on (video_id) * from ingest where reject is null order by video_id) join (
        select video_id, sum(coalesce(num_frames, 0)) / sum(coalesce(num_wanted, num_samples)) as decoded_share
        from ingest left join decoded using (decode_unit) group by video_id
    ) using (video_id)"""
# The same when it is known what was written about them.
ANNOTATED_VIDEOS = f"""
    select v.* exclude (flags, events_outside_video), q.events_outside_video,
           v.flags || coalesce(q.annotation_flags, []) as flags
    from ({VIDEOS}) v left join questions q using (video_id)"""
SEGMENTS = "select * from (select * from ingest join decoded using (decode_unit) where reject is null)"

_UNITS = "select distinct decode_unit from ingest where reject is null and decode_unit is not null"
_KNOWN = f"select * from known where decode_unit in ({_UNITS})"
_NEW = f"select decode_unit from ({_UNITS}) where decode_unit not in (select decode_unit from known)"


def count_decoded(work: Workspace, store: Store) -> None:
    """Makes the table `decoded` in the workspace, a row a decode unit."""
    known = "tables/segments.parquet"
    work.put("known", _published(store, known), DECODED)
    work.put("decoded", _both(work, store), DECODED)


def _published(store: Store, path: str) -> Iterator[pa.Table]:
    if store.exists(path):
        with store.open(path) as source:
            for table in read_batches(source):
                if set(DECODED.names) <= set(table.column_names):
                    yield table


def _both(work: Workspace, store: Store) -> Iterator[pa.Table]:
    yield from work.sql(_KNOWN, DECODED)
    with ThreadPoolExecutor(8) as pool:
        for table in work.sql(_NEW, DECODED.remove(2).remove(1)):
            yield pa.Table.from_pylist(list(pool.map(lambda unit: _count(store, unit), table[0].to_pylist())), DECODED)


def _count(store: Store, unit: str) -> dict:
    wanted = store.read_table(unit, ["wanted"])["wanted"]
    return {"decode_unit": unit, "num_frames": len(wanted), "num_wanted": wanted[0].as_py() if len(wanted) else None}
